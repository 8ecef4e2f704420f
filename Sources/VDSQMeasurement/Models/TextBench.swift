import Histogram
package import VDSQFormat
package import VDSQInference

/// The speed of a model for texts as a user has them: one by one, and in batches.
package struct TextBench {
  /// Milliseconds from a text to its state, tokenization included, one text at a time.
  package struct Latency: Sendable {
    /// The number of measured texts.
    package let count: Int
    /// The arithmetic mean in milliseconds.
    package let mean: Double
    /// The median in milliseconds.
    package let p50: Double
    /// The 90th percentile in milliseconds.
    package let p90: Double
    /// The 99th percentile in milliseconds.
    package let p99: Double
    /// The 99.9th percentile in milliseconds.
    package let p999: Double
    /// The longest time in milliseconds.
    package let maximum: Double
  }

  /// The number of texts that the model truncated.
  package let truncated: Int
  /// The latency of single texts.
  package let latency: Latency
  /// In batches.
  package let textsPerSecond: Double
  /// Tokens per second in batches, tokenization included.
  package let tokensPerSecond: Double
  /// Resident bytes at the end, and the peak.
  package let anonymousBytes: Int?
  /// Resident bytes of mapped files at the end; nil if the system does not report them.
  package let fileBytes: Int?
  /// The peak of resident bytes; nil if the system does not report it.
  package let peakBytes: Int?
  /// Counters of opening the model and of the first passes over the texts.
  package let warmup: ProcessCounters
  /// Counters after the warm-up.
  package let steady: ProcessCounters
  /// The number of texts that `steady` covers.
  package let steadyTexts: Int

  /// - Parameters:
  ///   - opened: the counters before the model was opened.
  ///   - texts: UTF-8, at least one.
  ///   - seconds: the minimum duration of each of the two measurements.
  /// - Throws: the errors of the encoder.
  package init(
    _ encoder: TextEncoder, opened: ProcessCounters, texts: [[UInt8]], seconds: Double
  ) throws(VDSQError) {
    func add(_ text: [UInt8]) -> Int { text.withUnsafeBytes { encoder.add($0).tokens } }
    truncated = texts.count { text in text.withUnsafeBytes { !encoder.fits($0) } }
    func finish() throws(VDSQError) { try encoder.encode { _, _ in } }
    // Two passes, one by one and in batches, so that buffers that grow with the texts have grown.
    for text in texts {
      _ = add(text)
      try finish()
    }
    for text in texts {
      if !encoder.hasRoom { try finish() }
      _ = add(text)
    }
    try finish()
    let before = ProcessCounters.now()
    // Nanoseconds up to an hour, with three digits.
    var histogram = Histogram<UInt32>(
      highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three)
    var (start, next) = (Timing.now(), 0)
    repeat {
      let begin = Timing.now()
      _ = add(texts[next % texts.count])
      try finish()
      histogram.record(UInt64((Timing.now() - begin) * 1e9))
      next += 1
    } while Timing.now() - start < seconds
    func milliseconds(_ percentile: Double) -> Double {
      Double(histogram.valueAtPercentile(percentile)) * 1e-6
    }
    latency = Latency(
      count: next, mean: histogram.mean * 1e-6, p50: milliseconds(50), p90: milliseconds(90),
      p99: milliseconds(99), p999: milliseconds(99.9), maximum: Double(histogram.max) * 1e-6)
    start = Timing.now()
    var (count, tokens, elapsed) = (0, 0, 0.0)
    repeat {
      if !encoder.hasRoom {
        try finish()
        elapsed = Timing.now() - start
      }
      tokens += add(texts[count % texts.count])
      count += 1
      // A batch that is never full would never be timed.
      if count % 4096 == 0 { elapsed = Timing.now() - start }
    } while elapsed < seconds
    try finish()
    elapsed = Timing.now() - start
    (textsPerSecond, tokensPerSecond) = (Double(count) / elapsed, Double(tokens) / elapsed)
    steadyTexts = next + count
    warmup = before - opened
    steady = ProcessCounters.now() - before
    anonymousBytes = ProcessMemory.anonymousBytes()
    fileBytes = ProcessMemory.fileBytes()
    peakBytes = ProcessMemory.peakResidentBytes()
  }
}
