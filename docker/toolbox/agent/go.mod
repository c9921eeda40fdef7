module subjectd/toolbox

go 1.24.0

require (
	golang.org/x/sync v0.18.0
	golang.org/x/sys v0.38.0
)
