// Package chaos kills what cannot be killed nicely: a real server process with
// kill -9 under phones that sync, and the power of a whole computer, which loses
// every byte that was written and not yet synced to the disk.
//
// There is no code here but tests. The full run is
//
//	go test ./sync/chaos -run TestKillNine -kills 50 -phones 50 -langso ./langso
package chaos
