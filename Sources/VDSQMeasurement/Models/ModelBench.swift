package import VDSQFormat
package import VDSQInference

/// The end-to-end speed of a model: its start, and texts one by one and in batches.
package struct ModelBench {
  /// The model's file.
  package let path: String
  package let isa: String
  package let options: TextEncoder.Options
  /// The number of tokens of the longest text.
  package let longest: Int
  package let distinctTexts: Int
  package let start: StartBench
  package let texts: TextBench

  /// - Parameters:
  ///   - path: the model. This process must not have mapped it, so that it can be dropped from the
  ///     page cache.
  ///   - options: the options of the model, including its memory policy.
  ///   - texts: UTF-8, at least one.
  ///   - starting: a program and its arguments that read a line from standard input and answer it.
  ///   - seconds: the minimum duration of each of the two measurements.
  /// - Throws: the errors of opening and running the model; `internalFault` if the program fails.
  package init(
    _ path: String, _ options: TextEncoder.Options, texts: [[UInt8]], starting: [String],
    seconds: Double
  ) throws(VDSQError) {
    self.path = path
    self.options = options
    distinctTexts = texts.count
    start = try StartBench(starting, file: path)
    let before = ProcessCounters.now()
    let container = try Container(path: path, kind: .model, decoding: options.policy.decoding)
    let encoder = try TextEncoder(container, options: options)
    isa = "\(encoder.kernels.name)"
    longest = encoder.maximumTokens
    self.texts = try TextBench(encoder, opened: before, texts: texts, seconds: seconds)
  }

  /// For programs.
  package var record: BenchRecord {
    let latency = texts.latency
    return .group([
      "model": .text(path), "isa": .text(isa), "policy": .text("\(options.policy.name)"),
      "threads": .integer(options.threads), "batch": .integer(options.batch),
      "max_tokens": .integer(longest), "texts": .integer(distinctTexts),
      "start_ms": .group([
        "warm": .number(start.warmMilliseconds), "cold": .optional(start.coldMilliseconds),
      ]),
      "latency_ms": .group([
        "mean": .number(latency.mean), "p50": .number(latency.p50), "p90": .number(latency.p90),
        "p99": .number(latency.p99), "p99_9": .number(latency.p999),
        "max": .number(latency.maximum), "count": .integer(latency.count),
      ]),
      "throughput": .group([
        "texts_per_s": .number(texts.textsPerSecond),
        "tokens_per_s": .number(texts.tokensPerSecond),
      ]),
      "memory_bytes": .group([
        "peak": .optional(texts.peakBytes), "anonymous": .optional(texts.anonymousBytes),
        "file": .optional(texts.fileBytes),
      ]),
      "warmup": texts.warmup.record, "steady": texts.steady.record,
      "steady_texts": .integer(texts.steadyTexts),
    ])
  }
}

extension ProcessCounters {
  fileprivate var record: BenchRecord {
    .group([
      "minor_faults": .integer(minorFaults), "major_faults": .integer(majorFaults),
      "storage_bytes": .optional(storageBytes), "call_bytes": .optional(callBytes),
      "joules": .optional(joules),
    ])
  }
}
