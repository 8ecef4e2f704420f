import VDSQ
import VDSQFormat
import VDSQInference

/// Writes texts with language models on a thread of its own. Some texts grow together, and further
/// ones begin when there is room, in the order of their requests.
///
/// A model's keys and values have memory while texts are written, and for a while afterwards.
final class GenerationEngine: @unchecked Sendable {
  /// A model with the memory for its texts.
  private struct OpenModel {
    let identity: ObjectIdentifier
    let generator: TextGenerator
    let session: TextGenerator.Session
  }

  /// A text that grows, of a prompt of a request.
  private struct Growing {
    let request: GenerationRequest
    let index: Int
    let text: TextGenerator.Continuation
  }

  private let monitor = Monitor()
  // Guarded by the monitor.
  private var queue: [GenerationRequest] = []
  private var isStopping = false
  private let options: ServerOptions
  private let metrics: ServerMetrics
  private var thread: Thread?

  // Used by the thread alone.
  private var current: OpenModel?
  private var growing: [Growing] = []
  /// Requests of which all prompts have begun, or some.
  private var begun: [GenerationRequest] = []

  /// How long keys and values are kept after the last request.
  private static let keeping = 30 * Clock.second

  init(_ options: ServerOptions, metrics: ServerMetrics) {
    (self.options, self.metrics) = (options, metrics)
  }

  func start() {
    thread = Thread("vdsqd-generator") { [self] in
      while wait() {
        begin()
        step()
      }
    }
  }

  /// Answers what is waiting, then ends the thread.
  func stop() {
    monitor.locked {
      isStopping = true
      monitor.signal()
    }
    thread?.join()
    thread = nil
  }

  /// - Throws: `queueFull` if too many requests are waiting, `stopping` at the end.
  func submit(_ request: GenerationRequest) throws(RequestError) {
    try monitor.locked { () throws(RequestError) in
      guard !isStopping else { throw .stopping }
      guard queue.count < options.limits.queuedTasks else {
        throw RequestError(
          .queueFull, "\(counted(queue.count, "request")) for texts are waiting", retryAfter: 5)
      }
      queue.append(request)
      monitor.signal()
    }
  }

  /// Waits until there is something to do.
  ///
  /// - Returns: false at the end.
  private func wait() -> Bool {
    monitor.locked {
      while true {
        queue.removeAll { $0.isCancelled }
        if !queue.isEmpty || !begun.isEmpty { return true }
        if isStopping { return false }
        guard current != nil else {
          monitor.wait()
          continue
        }
        let due = Clock.now + Self.keeping
        monitor.wait(until: due)
        if queue.isEmpty, Clock.now >= due {
          close()
          ProcessMemory.trim()
        }
      }
    }
  }

  // MARK: Beginning

  /// Begins prompts while there is room.
  private func begin() {
    while current?.session.hasRoom ?? true {
      // A request of many prompts does not hold up those behind it.
      guard let request = take() ?? begun.first(where: { $0.nextPrompt != nil }) else { return }
      do throws(RequestError) {
        try begin(request)
      } catch { end(request, error) }
    }
  }

  /// The next request, if its model is the one that writes now, or none writes.
  private func take() -> GenerationRequest? {
    monitor.locked {
      queue.removeAll { $0.isCancelled }
      guard let first = queue.first,
        begun.isEmpty || current?.identity == ObjectIdentifier(first.model.model)
      else { return nil }
      begun.append(queue.removeFirst())
      return first
    }
  }

  /// Begins the next prompt of a request.
  private func begin(_ request: GenerationRequest) throws(RequestError) {
    let model = try open(request.model)
    do throws(VDSQError) {
      if request.texts == nil { try request.prepare(model.generator) }
      guard let index = request.nextPrompt, let prompts = request.texts else { return }
      request.nextPrompt = index + 1 < prompts.count ? index + 1 : nil
      let text = try prompts[index].withBytes { (prompt) throws(VDSQError) in
        try model.session.begin(
          prompt, isChat: request.isChat, options: request.options, number: UInt64(index))
      }
      growing.append(Growing(request: request, index: index, text: text))
      show(growing[growing.count - 1])
    } catch { throw RequestError(causedBy: error) }
  }

  // MARK: Growing

  /// Adds a token to each text.
  private func step() {
    do throws(VDSQError) { try current?.session.step() } catch {
      for request in begun { end(request, RequestError(ofServer: error)) }
      return
    }
    for one in growing { show(one) }
  }

  /// Tells a request about its text.
  private func show(_ one: Growing) {
    // Another of its texts may have ended it.
    guard begun.contains(where: { $0 === one.request }) else { return }
    if one.request.isCancelled { return end(one.request, nil) }
    if let failure = one.text.failure {
      return end(one.request, RequestError(causedBy: failure))
    }
    let part = one.text.newPart()
    if !part.isEmpty { one.request.answer.show(one.index, part) }
    guard one.text.isComplete else { return }
    let text = one.text.result
    metrics.generated(text.tokens, promptTokens: text.promptTokens)
    one.request.answer.complete(one.index, text)
    remove { $0.text === one.text }
    let goesOn = one.request.nextPrompt != nil || growing.contains { $0.request === one.request }
    if !goesOn { end(one.request, nil) }
  }

  private func remove(_ isOver: (Growing) -> Bool) {
    for one in growing where isOver(one) { current?.session.remove(one.text) }
    growing.removeAll(where: isOver)
  }

  /// Ends a request, with all of its texts.
  private func end(_ request: GenerationRequest, _ error: RequestError?) {
    remove { $0.request === request }
    begun.removeAll { $0 === request }
    request.answer.finish(error)
  }

  // MARK: Models

  private func close() {
    current?.session.end()
    current = nil
  }

  /// The memory of a model's texts. There is memory for one model at a time.
  private func open(_ model: ServedModel.Description) throws(RequestError) -> OpenModel {
    let identity = ObjectIdentifier(model.model)
    if let current, current.identity == identity { return current }
    close()
    var run = options.run
    (run.memoryBudget, run.memoryPolicy, run.prompt, run.dimensions) = (nil, model.policy, nil, nil)
    do throws(VDSQError) {
      let generator = try TextGenerator(
        model: model.model, options: run, more: 0, texts: options.limits.generatedTexts)
      guard options.hasRoom(for: generator.bytes) else {
        throw VDSQError(
          .budgetTooSmall,
          "keys and values of \(counted(options.limits.generatedTexts, "text")) of "
            + "\(counted(generator.maximumTokens, "token")) do not fit the memory budget of the "
            + "server; limit them with --max-tokens")
      }
      let made = OpenModel(
        identity: identity, generator: generator,
        session: try TextGenerator.Session(generator, options: GenerationOptions()))
      current = made
      return made
    } catch {
      throw error.category == .budgetTooSmall
        ? RequestError(causedBy: error) : RequestError(ofServer: error)
    }
  }
}
