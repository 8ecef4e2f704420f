import Logging
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Runs the models on a thread of its own: collects texts of many requests into passes, and hands
/// the answers back.
///
/// Requests wait in a queue that is bounded by its texts. A pass takes texts in the order of their
/// requests as long as its encoder has room; a request that did not fit goes on behind the others,
/// so that a long list does not hold up single texts.
final class InferenceEngine: @unchecked Sendable {
  private let monitor = Monitor()
  // Guarded by the monitor.
  private var queue: [Job] = []
  private var waitingTexts = 0
  private var isStopping = false
  /// Texts per second of the last passes, for `Retry-After`.
  private var rate = 100.0

  private let state: State
  private let limits: ServerOptions.Limits
  private let metrics: ServerMetrics
  private let log: Logger
  private var thread: Thread?

  /// The engine has opened its models already; `start` starts the thread.
  init(_ state: State, metrics: ServerMetrics, log: Logger) {
    self.state = state
    (limits, self.metrics, self.log) = (state.options.limits, metrics, log)
  }

  func start() {
    thread = Thread("vdsqd-engine") { [self] in run() }
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

  /// Takes texts of a request.
  ///
  /// - Throws: `queueFull` if they do not all fit the queue, `stopping` at the end.
  func submit(_ job: Job) throws(RequestError) {
    try monitor.locked { () throws(RequestError) in
      guard !isStopping else { throw .stopping }
      guard waitingTexts + job.inputs.count <= limits.queuedTexts else {
        let seconds = Int((Double(waitingTexts) / rate).rounded(.up))
        throw RequestError(
          .queueFull, "\(counted(waitingTexts, "text")) are waiting; try again later",
          retryAfter: min(max(seconds, 1), 60))
      }
      job.arrival = Clock.now
      waitingTexts += job.inputs.count
      queue.append(job)
      metrics.waiting(texts: waitingTexts)
      monitor.signal()
    }
  }

  /// Forgets a job whose client has gone.
  func cancel(_ job: Job) { monitor.locked { job.isCancelled = true } }

  private func run() {
    while let jobs = take() { pass(jobs) }
  }

  /// Waits for jobs; nil at the end.
  private func take() -> [Job]? {
    monitor.locked {
      var rested = false
      while true {
        for job in queue where job.isCancelled { waitingTexts -= job.inputs.count }
        queue.removeAll { $0.isCancelled }
        if let first = queue.first {
          let due = first.arrival + limits.batchDelay
          if isStopping || waitingTexts >= limits.batchTexts || limits.batchDelay == 0
            || Clock.now >= due
          {
            return queue
          }
          monitor.wait(until: due)
        } else if isStopping {
          return nil
        } else if rested || limits.restDelay == 0 {
          monitor.wait()
          rested = false
        } else {
          let due = Clock.now + limits.restDelay
          monitor.wait(until: due)
          if queue.isEmpty, !isStopping, Clock.now >= due {
            state.rest()
            rested = true
          }
        }
      }
    }
  }

  /// Takes jobs that are over out of the queue; what was begun goes on behind the others.
  private func put(back begun: [Job], over: [Job]) {
    monitor.locked {
      queue.removeAll { job in
        over.contains { $0 === job } || begun.contains { $0 === job }
      }
      queue += begun
      for job in over { waitingTexts -= job.inputs.count }
      metrics.waiting(texts: waitingTexts)
    }
  }

  // MARK: A pass

  private struct Entry {
    let job: Job
    /// The index of the text.
    let input: Int
    let tokens: Int
    let isCut: Bool
    let isBlank: Bool
  }

  private func pass(_ jobs: [Job]) {
    let head = jobs[0]
    if case .alone(let body) = head.work {
      body(state)
      return put(back: [], over: [head])
    }
    let start = Clock.now
    let lane: Lane
    do throws(RequestError) {
      lane = try prepare(head)
    } catch {
      head.finish(.failure(error))
      return put(back: [], over: [head])
    }
    var entries: [Entry] = []
    var taking: [Job] = []
    for job in jobs {
      guard lane.encoder.hasRoom, entries.count < limits.batchTexts else { break }
      guard job === head || canJoin(job, head, lane) else { continue }
      taking.append(job)
      add(job, to: lane, &entries)
    }
    do throws(VDSQError) {
      if let classifier = head.classifier, !classifier.sharesPasses {
        try classifier.states.encode { index, state, words in
          self.take(entries[index], state, words)
        }
      } else {
        try lane.encoder.encode { index, state in self.take(entries[index], state, nil) }
      }
    } catch {
      log.error("a pass failed", metadata: ["error": "\(error.message)"])
      for job in taking where job.failure == nil { job.failure = RequestError(ofServer: error) }
    }
    let time = Clock.now - start
    measure(entries, time)
    var (begun, over): ([Job], [Job]) = ([], [])
    for job in taking {
      if let failure = job.failure {
        job.finish(.failure(failure))
        over.append(job)
      } else if job.outcomes.count == job.inputs.count {
        job.finish(.success(answer(job)))
        over.append(job)
      } else {
        begun.append(job)
      }
    }
    put(back: begun, over: over)
  }

  private func answer(_ job: Job) -> Job.Answer {
    var answer = Job.Answer(outcomes: job.outcomes)
    if case .classify(let wanted) = job.work, wanted.keepsStates, let classifier = job.classifier {
      answer.classifier = classifier.classifier
      answer.adapter = classifier.adapter
      answer.encoderOptions = classifier.lane.encoder.options
    }
    return answer
  }

  private func measure(_ entries: [Entry], _ time: Int64) {
    guard !entries.isEmpty else { return }
    let (tokens, cut) = entries.reduce(into: (0, 0)) {
      $0.0 += $1.tokens
      $0.1 += $1.isCut ? 1 : 0
    }
    metrics.passed(texts: entries.count, tokens: tokens, truncated: cut, nanoseconds: time)
    let now = Double(entries.count) / (Double(max(time, 1)) / 1e9)
    monitor.locked { rate = max(1, 0.8 * rate + 0.2 * now) }
  }

  /// The lane of a job; makes its classifier if there is none yet. The batch must be empty.
  private func prepare(_ job: Job) throws(RequestError) -> Lane {
    let model = try served(job)
    switch job.work {
    case .vectors(let prompt):
      try use(prompt ?? model.base.encoder.options.prompt, model.base)
      return model.base
    case .classify(let classification):
      let classifier =
        if let known = job.classifier { known } else { try self.classifier(classification, model) }
      job.classifier = classifier
      try use(classifier.lane.encoder.options.prompt, classifier.lane)
      return classifier.lane
    case .rank:
      try use(model.base.encoder.options.prompt, model.base)
      return model.base
    case .alone: preconditionFailure("not a pass")
    }
  }

  private func served(_ job: Job) throws(RequestError) -> ServedModel {
    if let served = job.served { return served }
    let model = try state.model(job.model)
    job.served = model
    return model
  }

  private func use(_ prompt: String?, _ lane: Lane) throws(RequestError) {
    do { try lane.encoder.use(prompt: prompt) } catch {
      throw RequestError(.invalid, "prompt_name: \(error.message)", field: "prompt_name")
    }
  }

  private func classifier(
    _ wanted: Job.Classification, _ model: ServedModel
  ) throws(RequestError) -> ServedClassifier {
    switch wanted.choice {
    case .own: return try model.own()
    case .adapter(let name):
      let adapter = try state.currentAdapter(name)
      guard adapter.model === model else {
        throw RequestError(
          .invalid, "adapter: \(name) belongs to the model \(adapter.model.name)", field: "adapter")
      }
      return try adapter.classifier(wanted.temperature)
    case .labels(let request):
      if let known = model.known(request, wanted.temperature) { return known }
      return try model.classifier(of: request, wanted.temperature) { (bytes) throws(RequestError) in
        try state.room(for: bytes)
      }
    }
  }

  /// Whether a job's texts can be in the pass of another, without anything being made for it.
  private func canJoin(_ job: Job, _ head: Job, _ lane: Lane) -> Bool {
    guard job.model.utf8.elementsEqual(head.model.utf8) else { return false }
    switch (job.work, head.work) {
    case (.vectors(let a), .vectors(let b)):
      return a == b && (try? served(job))?.base === lane
    case (.vectors(let prompt), _):
      guard let model = try? served(job), lane === model.base, headShares(head) else {
        return false
      }
      return prompt == nil || prompt == lane.encoder.options.prompt
    case (.rank, _):
      guard let model = try? served(job) else { return false }
      return lane === model.base && headShares(head) && usesDefaultPrompt(head, lane)
    case (.classify(let wanted), _):
      guard usesDefaultPrompt(head, lane), headShares(head) || job.classifier === head.classifier
      else { return false }
      if job.classifier == nil {
        guard let model = try? served(job) else { return false }
        if case .labels(let request) = wanted.choice,
          model.known(request, wanted.temperature) == nil
        {
          return false
        }
        job.classifier = try? classifier(wanted, model)
      }
      guard let classifier = job.classifier, classifier.lane === lane else { return false }
      return classifier.sharesPasses || classifier === head.classifier
    case (.alone, _): return false
    }
  }

  private func headShares(_ head: Job) -> Bool { head.classifier?.sharesPasses ?? true }

  private func usesDefaultPrompt(_ head: Job, _ lane: Lane) -> Bool {
    guard case .vectors(let prompt) = head.work else { return true }
    return prompt == nil || prompt == lane.encoder.options.prompt
  }

  /// Adds texts of a job to the pass.
  private func add(_ job: Job, to lane: Lane, _ entries: inout [Entry]) {
    let sequences = job.classifier?.sequencesPerText ?? 1
    while job.next < job.inputs.count * sequences, job.failure == nil, lane.encoder.hasRoom,
      entries.count < limits.batchTexts
    {
      let (input, part) = (job.next / sequences, job.next % sequences)
      job.next += 1
      do throws(VDSQError) {
        let added = try add(job.inputs[input], part, of: job, lane.encoder)
        if added.isCut, !job.truncates {
          job.failure = RequestError(
            .textTooLong,
            "text \(input) has more than \(counted(lane.encoder.maximumTokens, "token")); cut it, or"
              + " send \"truncate\": true")
        }
        entries.append(
          Entry(
            job: job, input: input, tokens: added.tokens, isCut: added.isCut,
            isBlank: added.isBlank))
      } catch {
        job.failure = RequestError(.invalid, "text \(input): \(error.message)")
      }
    }
  }

  private func add(
    _ input: Job.Input, _ part: Int, of job: Job, _ encoder: TextEncoder
  ) throws(VDSQError) -> (tokens: Int, isCut: Bool, isBlank: Bool) {
    switch input {
    case .text(let text):
      return try text.withBytes { (text) throws(VDSQError) in
        if let classifier = job.classifier {
          if let entailment = classifier.classifier.entailment {
            let added = try entailment.hypotheses[part].withBytes {
              (hypothesis) throws(VDSQError) in
              try encoder.add(text, hypothesis, cut: .onlyFirst)
            }
            return (added.tokens, added.truncated, BlankText.isBlank(text))
          }
          return classifier.template.add(text, to: encoder)
        }
        let added = encoder.add(text)
        return (added.tokens, added.truncated, false)
      }
    case .pair(let first, let second):
      return try first.withBytes { (first) throws(VDSQError) in
        try second.withBytes { (second) throws(VDSQError) in
          let added = try encoder.add(first, second)
          return (
            added.tokens, added.truncated,
            job.classifier != nil && BlankText.isBlank(first) && BlankText.isBlank(second)
          )
        }
      }
    case .ids(let ids):
      let added = try encoder.add(ids: ids)
      return (added.tokens, added.truncated, false)
    }
  }

  /// Takes the state of a sequence.
  private func take(
    _ entry: Entry, _ state: UnsafePointer<Float>, _ words: UnsafePointer<Float>?
  ) {
    let job = entry.job
    guard job.failure == nil else { return }
    switch job.work {
    case .vectors:
      guard let model = job.served else { return }
      let vector = UnsafeBufferPointer(start: state, count: model.base.encoder.dimensions)
      append(entry, .vector(Array(vector)))
    case .rank:
      guard let head = job.served?.head else { return }
      var scratch = [Float](repeating: 0, count: max(1, head.scratchCount))
      var logits = [Float](repeating: 0, count: head.description.labels.count)
      scratch.withUnsafeMutableBufferPointer { scratch in
        logits.withUnsafeMutableBufferPointer {
          head.logits(state, scratch: scratch.baseAddress!, into: $0.baseAddress!)
        }
      }
      append(entry, .logit(logits[0]))
    case .classify(let wanted):
      guard let classifier = job.classifier else { return }
      if classifier.classifier.entailment != nil {
        return take(entry, logit: classifier.logit(state), classifier, wanted)
      }
      var scores = classifier.scores(
        state, words: words, isBlank: entry.isBlank, top: wanted.top)
      if wanted.keepsStates {
        scores.state = Array(
          UnsafeBufferPointer(start: state, count: classifier.lane.encoder.dimensions))
        let count = classifier.classifier.labels.wordHead?.longWords?.words ?? 0
        scores.words = words.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
      }
      append(entry, .scores(scores))
    case .alone: break
    }
  }

  /// Collects the logits of a text's hypotheses, and classifies it by all of them.
  private func take(
    _ entry: Entry, logit: Float, _ classifier: ServedClassifier, _ wanted: Job.Classification
  ) {
    let job = entry.job
    job.hypotheses.logits.append(logit)
    job.hypotheses.tokens += entry.tokens
    job.hypotheses.isCut = job.hypotheses.isCut || entry.isCut
    guard job.hypotheses.logits.count == classifier.sequencesPerText else { return }
    job.outcomes.append(
      Outcome(
        tokens: job.hypotheses.tokens, isTruncated: job.hypotheses.isCut, isBlank: entry.isBlank,
        value: .scores(
          classifier.scores(
            logits: job.hypotheses.logits, isBlank: entry.isBlank, top: wanted.top))))
    job.hypotheses = ([], 0, false)
  }

  private func append(_ entry: Entry, _ value: Outcome.Value) {
    entry.job.outcomes.append(
      Outcome(
        tokens: entry.tokens, isTruncated: entry.isCut, isBlank: entry.isBlank, value: value))
  }
}
