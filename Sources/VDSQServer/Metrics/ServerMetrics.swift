import CoreMetrics
import NIOConcurrencyHelpers
import VDSQInference

/// What the server counts and measures. Every metric is there from the first scrape on.
final class ServerMetrics: @unchecked Sendable {
  let registry: PrometheusRegistry
  private let durations: [Route: Timer]
  private let failures: [RequestError.Reason: Counter]
  private let queue: Meter
  private let batchTexts: Recorder
  private let batchTime: Timer
  private let tokens: Counter
  private let truncated: Counter
  private let generated: Counter
  private let abstentions: Counter
  private let learned: Counter
  private let connections: Meter
  private let reloads: [Bool: Counter]
  private let lock = NIOLock()
  // Guarded by the lock.
  private var requests: [Request: Counter] = [:]
  private var labels: [LabelOfAnswers: Counter] = [:]

  private struct Request: Hashable {
    let route: Route
    let status: Int
  }

  private struct LabelOfAnswers: Hashable {
    let classifier: String
    let label: String
  }

  /// More labels than these are counted as `(others)`: a scrape must stay small.
  private static let mostLabels = 1000

  init(_ registry: PrometheusRegistry = PrometheusRegistry()) {
    self.registry = registry
    let seconds = [
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    registry.describe("vdsq_requests_total", .counter, help: "Answered requests.")
    registry.describe(
      "vdsq_failures_total", .counter, help: "Requests that were not answered as asked.")
    registry.describe(
      "vdsq_request_duration_seconds", .histogram, help: "Time from a whole request to its answer.",
      bounds: seconds)
    registry.describe("vdsq_queue_texts", .gauge, help: "Texts that wait for the model.")
    registry.describe(
      "vdsq_batch_texts", .histogram, help: "Texts of a pass of the model.",
      bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256])
    registry.describe(
      "vdsq_batch_duration_seconds", .histogram, help: "Time of a pass of the model.",
      bounds: seconds)
    registry.describe("vdsq_tokens_total", .counter, help: "Tokens that the model read.")
    registry.describe(
      "vdsq_truncated_total", .counter, help: "Texts that were cut to the longest sequence.")
    registry.describe("vdsq_generated_tokens_total", .counter, help: "Tokens that models wrote.")
    registry.describe(
      "vdsq_labels_total", .counter,
      help: "Answers by label, of adapters and of the heads of models.")
    registry.describe("vdsq_abstentions_total", .counter, help: "Answers that were withheld.")
    registry.describe("vdsq_learned_total", .counter, help: "Examples that adapters learned.")
    registry.describe(
      "vdsq_reloads_total", .counter, help: "Models and adapters that were read again.")
    registry.describe("vdsq_connections", .gauge, help: "Open connections.")
    registry.describe("process_resident_memory_bytes", .gauge, help: "Resident memory.")
    registry.describe("process_start_time_seconds", .gauge, help: "When the server was started.")

    func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
      Counter(label: name, dimensions: dimensions, factory: registry)
    }
    durations = Dictionary(
      uniqueKeysWithValues: Route.allCases.map {
        (
          $0,
          Timer(
            label: "vdsq_request_duration_seconds", dimensions: [("route", $0.rawValue)],
            factory: registry)
        )
      })
    failures = Dictionary(
      uniqueKeysWithValues: RequestError.Reason.allCases.map {
        ($0, counter("vdsq_failures_total", [("reason", $0.rawValue)]))
      })
    queue = Meter(label: "vdsq_queue_texts", factory: registry)
    batchTexts = Recorder(label: "vdsq_batch_texts", factory: registry)
    batchTime = Timer(label: "vdsq_batch_duration_seconds", factory: registry)
    tokens = counter("vdsq_tokens_total")
    truncated = counter("vdsq_truncated_total")
    generated = counter("vdsq_generated_tokens_total")
    abstentions = counter("vdsq_abstentions_total")
    learned = counter("vdsq_learned_total")
    connections = Meter(label: "vdsq_connections", factory: registry)
    reloads = [
      true: counter("vdsq_reloads_total", [("result", "success")]),
      false: counter("vdsq_reloads_total", [("result", "failure")]),
    ]
    let memory = Meter(label: "process_resident_memory_bytes", factory: registry)
    let start = Meter(label: "process_start_time_seconds", factory: registry)
    start.set(Clock.date)
    registry.beforeRendering {
      memory.set(Self.residentBytes)
    }
    for route in Route.allCases where route != .none { count(route, status: 200, by: 0) }
  }

  /// Resident memory of the process, in bytes.
  static var residentBytes: Int {
    (ProcessMemory.anonymousBytes() ?? 0) + (ProcessMemory.fileBytes() ?? 0)
  }

  /// Makes the labels of a classifier known before it gives one.
  func prepare(_ names: [String], of classifier: String) {
    for name in names { count(name, of: classifier, by: 0) }
  }

  private func count(_ route: Route, status: Int, by amount: Int) {
    let key = Request(route: route, status: status)
    let counter = lock.withLock {
      if let known = requests[key] { return known }
      let counter = Counter(
        label: "vdsq_requests_total",
        dimensions: [("route", route.rawValue), ("status", "\(status)")], factory: registry)
      requests[key] = counter
      return counter
    }
    counter.increment(by: amount)
  }

  func answered(_ route: Route, status: Int, nanoseconds: Int64) {
    count(route, status: status, by: 1)
    durations[route]?.recordNanoseconds(nanoseconds)
  }

  func failed(_ reason: RequestError.Reason) { failures[reason]?.increment() }

  func passed(texts: Int, tokens: Int, truncated: Int, nanoseconds: Int64) {
    batchTexts.record(texts)
    batchTime.recordNanoseconds(nanoseconds)
    self.tokens.increment(by: tokens)
    self.truncated.increment(by: truncated)
  }

  func generated(_ count: Int, promptTokens: Int) {
    generated.increment(by: count)
    tokens.increment(by: promptTokens)
  }

  func waiting(texts: Int) { queue.set(texts) }

  func connected(_ count: Int) { connections.set(count) }

  func learned(_ count: Int) { learned.increment(by: count) }

  func reloaded(_ succeeded: Bool) { reloads[succeeded]?.increment() }

  func abstained() { abstentions.increment() }

  /// Counts an answer of an adapter or of a model's head; requests' own labels are not counted.
  func gave(_ label: String, by classifier: String) { count(label, of: classifier, by: 1) }

  private func count(_ label: String, of classifier: String, by amount: Int) {
    let counter = lock.withLock {
      let key = LabelOfAnswers(classifier: classifier, label: label)
      if let known = labels[key] { return known }
      let isOne = labels.count < Self.mostLabels
      let counter = Counter(
        label: "vdsq_labels_total",
        dimensions: [("classifier", classifier), ("label", isOne ? label : "(others)")],
        factory: registry)
      if isOne { labels[key] = counter }
      return counter
    }
    counter.increment(by: amount)
  }
}
