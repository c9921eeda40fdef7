package netfault

import "testing"

func TestWhatIptablesLeavesBehindIsNoDifference(t *testing.T) {
	left := `table ip mangle {
	chain OUTPUT {
		type route hook output priority mangle; policy accept;
	}

	chain POSTROUTING {
		type filter hook postrouting priority mangle; policy accept;
	}
}
`
	if got := normaliseNft("# Warning: table ip mangle is managed by iptables-nft, do not touch!\n" + left); got != "" {
		t.Fatalf("%q", got)
	}
	if got := normaliseSave("# Generated\n*mangle\n:OUTPUT ACCEPT [7:9]\nCOMMIT\n# Completed\n"); got != "" {
		t.Fatalf("%q", got)
	}
}

func TestSomebodysOwnTablesAndPoliciesAreSeen(t *testing.T) {
	for _, listing := range []string{
		"table inet mangle {\n\tchain x {\n\t\ttype filter hook output priority 0; policy accept;\n\t}\n}\n",
		"table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\n",
		"table ip own {\n}\n",
	} {
		if got := normaliseNft(listing); got != listing {
			t.Errorf("%q became %q", listing, got)
		}
	}
	if got := normaliseSave("*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"); got != "*filter\n:INPUT DROP\n" {
		t.Errorf("%q", got)
	}
}

func TestOrderQueueNumbersAndCountersAreNoDifferenceButTheOrderOfRulesIs(t *testing.T) {
	a := "*mangle\n:A - [1:2]\n:B - [0:0]\n-A A -j NFQUEUE --queue-num 7 --queue-bypass\n-A B -j DROP\nCOMMIT\n*filter\n-A OUTPUT -j DROP\nCOMMIT\n"
	b := "*filter\n-A OUTPUT -j DROP\nCOMMIT\n*mangle\n:B - [0:0]\n:A - [0:0]\n-A B -j DROP\n-A A -j NFQUEUE --queue-num 8 --queue-bypass\nCOMMIT\n"
	if normaliseSave(a) != normaliseSave(b) {
		t.Fatalf("%s\n%s", normaliseSave(a), normaliseSave(b))
	}
	one, two := "*filter\n-A OUTPUT -j A\n-A OUTPUT -j B\nCOMMIT\n", "*filter\n-A OUTPUT -j B\n-A OUTPUT -j A\nCOMMIT\n"
	if normaliseSave(one) == normaliseSave(two) {
		t.Fatal("rules in another order are another state")
	}
	n := "table ip b {\n\tchain y {\n\t\tqueue num 5 bypass\n\t}\n\n\tchain x {\n\t\tdrop\n\t}\n}\ntable ip a {\n}\n"
	m := "table ip a {\n}\ntable ip b {\n\tchain x {\n\t\tdrop\n\t}\n\n\tchain y {\n\t\tqueue num 6 bypass\n\t}\n}\n"
	if normaliseNft(n) != normaliseNft(m) {
		t.Fatalf("%s\n%s", normaliseNft(n), normaliseNft(m))
	}
}

func TestTheSeedOfNetemsChanceIsNoDifference(t *testing.T) {
	got := normaliseTc("qdisc netem 5bd0: dev eth0 root refcnt 2 limit 200000 loss 10% seed 1234567890123\n", true)
	if got != "qdisc netem 5bd0: dev eth0 root limit 200000 loss 10%\n" {
		t.Fatalf("%q", got)
	}
}

func TestHandlesThatTheKernelGaveAreOut(t *testing.T) {
	got := normaliseTc("qdisc noqueue 0: dev lo root refcnt 2 \nqdisc fq_codel 8001: dev eth0 root refcnt 5 limit 1\nqdisc htb 1: dev eth1 root refcnt 2\n", true)
	want := "qdisc fq_codel 0: dev eth0 root limit 1\nqdisc htb 1: dev eth1 root\nqdisc noqueue 0: dev lo root\n"
	if got != want {
		t.Fatalf("%q", got)
	}
}
