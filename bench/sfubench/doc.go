// Command sfubench measures what forwarding costs: Pausepoint's SFU beside a bare SFU of pion/webrtc and beside senders without
// WebRTC, in one interleaved run. The server is a process of its own on the first core, the participants are played on the second.
//
//	go run ./bench/sfubench              # everything, about 15 minutes
//	go run ./bench/sfubench -short       # about 80 seconds
//	go run ./bench/sfubench -scenarios call -servers pausepoint,pion -rounds 3
//
// Times are noisy on machines that do something else; compare the ratios, which are medians over rounds of what was measured in the
// same round.
package main
