# Turns the output of the recorder's benchmarks into the table of docs/recording.md.
/^Benchmark/ { for (i = 3; i < NF; i += 2) value[$(i + 1)] = $i }
function micro(unit) { return unit in value ? sprintf("%d µs", value[unit] + 0.5) : "not measured" }
END {
	print "| | without recording | with recording |"
	print "|---|---|---|"
	print "| sound from one member to another, median | " micro("p50-µs-without") " | " micro("p50-µs-recording") " |"
	print "| the same, 99th percentile | " micro("p99-µs-without") " | " micro("p99-µs-recording") " |"
	print "| processor time for a second of a track | | " micro("cpu-µs/track-second") " |"
}
