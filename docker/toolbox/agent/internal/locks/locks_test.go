package locks

import (
	"context"
	"testing"
)

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestOneWhoHoldsAKeyAloneKeepsOthersOutUntilItLetsGo(t *testing.T) {
	var k Keyed
	release, err := k.Exclusive(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Shared(ended(), "a"); err == nil {
		t.Fatal("a second one got in")
	}
	other, err := k.Exclusive(context.Background(), "b")
	if err != nil {
		t.Fatal("another key was held too")
	}
	other()
	release()
	again, err := k.Exclusive(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	again()
	if len(k.locks) != 0 {
		t.Fatalf("%d keys are kept", len(k.locks))
	}
}

func TestThoseWhoShareKeepOutOnlyWhoWantsItAlone(t *testing.T) {
	var k Keyed
	one, _ := k.Shared(context.Background(), "a")
	two, err := k.Shared(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Exclusive(ended(), "a"); err == nil {
		t.Fatal("it was taken alone while shared")
	}
	one()
	two()
}
