extension KernelResult {
  /// For programs.
  package var record: BenchRecord {
    .group([
      "kernel": .text(kernel), "isa": .text(isa), "rows": .integer(rows),
      "cols": .integer(columns), "batch": .integer(batch), "threads": .integer(threads),
      "ms": .number(milliseconds), "gb_per_s": .number(gigabytesPerSecond),
      "gmac_per_s": .number(gigaproductsPerSecond), "share_of_limit": .number(shareOfLimit),
    ])
  }
}

extension ForwardBench {
  /// For programs.
  package var record: BenchRecord {
    .group([
      "batch": .integer(batch), "tokens": .integer(tokens), "threads": .integer(threads),
      "ms": .number(milliseconds), "share_of_peak": .number(shareOfPeak),
    ])
  }
}
