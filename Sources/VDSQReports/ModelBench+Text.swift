import VDSQFormat
import VDSQMeasurement

extension ModelBench {
  /// Lines for people, the last without its line end.
  package var text: String {
    let latency = texts.latency
    let steady = texts.steady
    func row(_ name: String, _ value: String) -> String { "\(padded(name, 20))\(value)" }
    func milliseconds(_ value: Double) -> String { "\(significant(value)) ms" }
    func bytes(_ value: Int?) -> String { value.map(mebibytes) ?? "unknown" }
    func perText(_ value: Int?) -> String {
      value.map { significant(Double($0) / Double(texts.steadyTexts)) } ?? "unknown"
    }
    let threads = "\(options.threads) thread\(options.threads == 1 ? "" : "s")"
    return [
      row("model", "\(path), \(isa), \(options.policy.name), \(threads)"),
      row("texts", "\(distinctTexts), of \(counted(longest, "token")) at most"),
      row(
        "start to answer",
        "\(milliseconds(start.warmMilliseconds)) with the file in the page cache, "
          + (start.coldMilliseconds.map { "\(milliseconds($0)) without" } ?? "unknown without")),
      row(
        "one by one",
        "p50 \(significant(latency.p50)), p90 \(significant(latency.p90)), "
          + "p99 \(significant(latency.p99)), p99.9 \(significant(latency.p999)), "
          + "at most \(significant(latency.maximum)) ms (\(counted(latency.count, "text")))"),
      row(
        "in batches",
        "\(fixed(texts.textsPerSecond, 0)) texts/s, \(fixed(texts.tokensPerSecond, 0)) tokens/s"),
      row(
        "resident memory",
        "\(bytes(texts.peakBytes)) at its peak; then \(bytes(texts.anonymousBytes)) anonymous, "
          + "\(bytes(texts.fileBytes)) of files"),
      row(
        "page faults",
        "\(perText(steady.minorFaults)) minor and \(perText(steady.majorFaults)) major a text; "
          + "\(texts.warmup.minorFaults) and \(texts.warmup.majorFaults) to open it and warm up"),
      row(
        "bytes read",
        "\(perText(steady.storageBytes)) from storage and \(perText(steady.callBytes)) by calls a text; "
          + "\(bytes(texts.warmup.storageBytes)) and \(bytes(texts.warmup.callBytes)) to open it and warm up"
      ),
      row(
        "energy",
        steady.joules.flatMap { $0 > 0 ? $0 : nil }.map {
          "\(significant($0 / Double(texts.steadyTexts) * 1e3)) mJ a text, of the whole package"
        } ?? "unknown: no readable RAPL counter"),
    ].joined(separator: "\n")
  }
}
