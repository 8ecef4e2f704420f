package import CoreMetrics
import NIOConcurrencyHelpers

/// A backend of swift-metrics that renders the text format of Prometheus
/// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
///
/// Every family is described before it is used, so that its type, its help and the bounds of its
/// histogram are known. A family that is not described has the type of what is made first.
package final class PrometheusRegistry: MetricsFactory, @unchecked Sendable {
  /// The types of Prometheus.
  package enum Kind: String, Sendable {
    case counter, gauge, histogram, summary
  }

  private struct Family {
    var kind: Kind
    var help: String
    var bounds: [Double]
    /// In the order in which they were made.
    var series: [Series] = []
  }

  /// The values of one combination of labels.
  final class Series {
    let labels: String
    let bounds: [Double]
    var value = 0.0
    /// How many values lie in each range of the bounds; the last one is without bound.
    var counts: [UInt64]
    var count: UInt64 = 0

    init(_ labels: String, bounds: [Double]) {
      (self.labels, self.bounds) = (labels, bounds)
      counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    func observe(_ value: Double) {
      self.value += value
      count += 1
      counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    }
  }

  private let lock = NIOLock()
  // Guarded by the lock.
  private var families: [String: Family] = [:]
  private var names: [String] = []
  private var collectors: [@Sendable () -> Void] = []

  package init() {}

  /// Describes a family of metrics.
  ///
  /// - Parameters:
  ///   - help: one line.
  ///   - bounds: the upper bounds of a histogram's ranges, ascending; nil for none.
  package func describe(
    _ name: String, _ kind: Kind, help: String, bounds: [Double]? = nil
  ) {
    lock.withLock {
      families[name, default: Family(kind: kind, help: "", bounds: [])].help = help
      if let bounds {
        families[name]!.bounds = bounds
        families[name]!.kind = .histogram
      }
      if !names.contains(name) { names.append(name) }
    }
  }

  /// Calls `body` before every rendering, to set what is not known before.
  package func beforeRendering(_ body: @escaping @Sendable () -> Void) {
    lock.withLock { collectors.append(body) }
  }

  /// The text of all metrics.
  package func render() -> String {
    for collect in lock.withLock({ collectors }) { collect() }
    return lock.withLock {
      var text = ""
      for name in names {
        guard let family = families[name] else { continue }
        text += "# HELP \(name) \(Self.escaped(family.help, quotes: false))\n"
        text += "# TYPE \(name) \(family.kind.rawValue)\n"
        for series in family.series { Self.render(name, family.kind, series, into: &text) }
      }
      return text
    }
  }

  private static func render(
    _ name: String, _ kind: Kind, _ series: Series, into text: inout String
  ) {
    guard kind == .histogram || kind == .summary else {
      text += "\(name)\(braced(series.labels)) \(number(series.value))\n"
      return
    }
    if kind == .histogram {
      var sum: UInt64 = 0
      for (bound, count) in zip(series.bounds.map(number) + ["+Inf"], series.counts) {
        sum += count
        let le = "le=\"\(bound)\""
        let labels = series.labels.isEmpty ? le : "\(series.labels),\(le)"
        text += "\(name)_bucket{\(labels)} \(sum)\n"
      }
    }
    text += "\(name)_sum\(braced(series.labels)) \(number(series.value))\n"
    text += "\(name)_count\(braced(series.labels)) \(series.count)\n"
  }

  private static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

  private static func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return "\(whole)" }
    if value.isNaN { return "NaN" }
    return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\"" where quotes: out += "\\\""
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private func series(_ name: String, _ dimensions: [(String, String)], _ kind: Kind) -> Series {
    let labels = dimensions.map { "\($0.0)=\"\(Self.escaped($0.1, quotes: true))\"" }
      .joined(separator: ",")
    return lock.withLock {
      var family = families[name] ?? Family(kind: kind, help: name, bounds: [])
      if family.kind != .histogram { family.kind = kind }
      defer {
        families[name] = family
        if !names.contains(name) { names.append(name) }
      }
      if let known = family.series.first(where: { $0.labels == labels }) { return known }
      let series = Series(labels, bounds: family.bounds)
      family.series.append(series)
      return series
    }
  }

  // MARK: swift-metrics

  package func makeCounter(
    label: String, dimensions: [(String, String)]
  ) -> any CounterHandler {
    Handler(series(label, dimensions, .counter), lock)
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    Handler(series(label, dimensions, .counter), lock)
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    Handler(series(label, dimensions, .gauge), lock)
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    Handler(series(label, dimensions, aggregate ? .summary : .gauge), lock, aggregates: aggregate)
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    Handler(series(label, dimensions, .summary), lock)
  }

  // A series of Prometheus stays until the process ends.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}

  /// All kinds of handlers; each kind uses its own methods.
  private final class Handler: CounterHandler, FloatingPointCounterHandler, MeterHandler,
    RecorderHandler, TimerHandler, @unchecked Sendable
  {
    let series: Series
    private let lock: NIOLock
    private let aggregates: Bool

    init(_ series: Series, _ lock: NIOLock, aggregates: Bool = true) {
      (self.series, self.lock, self.aggregates) = (series, lock, aggregates)
    }

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { lock.withLock { series.value += amount } }
    func decrement(by amount: Double) { increment(by: -amount) }
    func reset() { lock.withLock { series.value = 0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { lock.withLock { series.value = value } }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
      lock.withLock { if aggregates { series.observe(value) } else { series.value = value } }
    }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
  }
}
