import Glibc
import Logging
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// Trains, learns and explains on a thread of its own, one task after another, so that texts do not
/// wait for it. The thread steps back behind the engine's.
///
/// It opens encoders of its own when they are needed, and closes them after a while.
final class Learner: @unchecked Sendable {
  typealias Task = @Sendable (Learner) -> Void

  private let monitor = Monitor()
  // Guarded by the monitor.
  private var queue: [Task] = []
  private var isStopping = false
  private let options: ServerOptions
  private let engine: InferenceEngine
  private let metrics: ServerMetrics
  private let log: Logger
  private var thread: Thread?

  // Used by the thread alone.
  private var online: (model: ObjectIdentifier, learner: OnlineLearner)?
  private var explanations: ExplanationRoom?

  /// How long encoders are kept after the last task.
  private static let keeping = 30 * Clock.second

  init(
    _ options: ServerOptions, engine: InferenceEngine, metrics: ServerMetrics, log: Logger
  ) {
    (self.options, self.engine, self.metrics, self.log) = (options, engine, metrics, log)
  }

  func start() {
    thread = Thread("vdsqd-learner", niceness: 5) { [self] in
      while let task = take() { task(self) }
    }
  }

  /// Does what is waiting, then ends the thread.
  func stop() {
    monitor.locked {
      isStopping = true
      monitor.signal()
    }
    thread?.join()
    thread = nil
  }

  /// - Throws: `queueFull` if too many tasks are waiting, `stopping` at the end.
  func submit(_ task: @escaping Task) throws(RequestError) {
    try monitor.locked { () throws(RequestError) in
      guard !isStopping else { throw .stopping }
      guard queue.count < options.limits.queuedTasks else {
        throw RequestError(
          .queueFull, "\(counted(queue.count, "task")) of learning and explaining are waiting",
          retryAfter: 2)
      }
      queue.append(task)
      monitor.signal()
    }
  }

  private func take() -> Task? {
    monitor.locked {
      while true {
        if !queue.isEmpty { return queue.removeFirst() }
        if isStopping { return nil }
        guard online != nil || explanations != nil else {
          monitor.wait()
          continue
        }
        let due = Clock.now + Self.keeping
        monitor.wait(until: due)
        if queue.isEmpty, Clock.now >= due {
          (online, explanations) = (nil, nil)
          ProcessMemory.trim()
        }
      }
    }
  }

  /// How an encoder of this thread is run: alone, and without a plan of its own.
  private var run: RunOptions {
    var run = options.run
    run.threads = 1
    run.memoryBudget = nil
    return run
  }

  private func checkRoom(_ bytes: Int) throws(RequestError) {
    guard !options.hasRoom(for: bytes) else { return }
    throw RequestError(
      .memory, "this needs \(counted((bytes + 1023) / 1024, "kibibyte")) beside the memory budget")
  }

  // MARK: Adapters

  /// Trains an adapter, and serves it.
  func train(
    _ request: TrainingRequest, done: @escaping @Sendable (RequestError?) -> Void
  ) {
    guard let path = options.path(ofAdapter: request.name), let folder = options.adapterFolder
    else { return done(RequestError(.fault, "there is no state directory")) }
    let made = "\(folder)/.\(request.name).new"
    do throws(RequestError) {
      try write(request, to: made)
    } catch {
      unlink(made)
      return done(error)
    }
    let name = request.name
    let log = log
    serve(done) { (state) throws(RequestError) in
      do throws(RequestError) {
        try state.add(name, from: made, path: path, isChangeable: true)
        log.info("an adapter was trained", metadata: ["adapter": "\(name)"])
      } catch {
        unlink(made)
        throw error
      }
    }
    metrics.learned(request.examples.count)
  }

  private func write(_ request: TrainingRequest, to path: String) throws(RequestError) {
    if online?.learner.path == options.path(ofAdapter: request.name) { online = nil }
    do throws(VDSQError) {
      let labels = Examples.labels(
        of: request.examples, named: request.labels, outOfScope: request.outOfScope)
      guard let method = request.method else {
        return try begin(request, labels, path)
      }
      var training = TrainingOptions()
      training.method = method
      training.template = request.template
      training.allowsFinetuning = false
      training.run = run
      let plan = try TrainingPlan(
        model: request.model.model, labels: labels, examples: request.examples, options: training)
      do throws(RequestError) {
        try checkRoom(plan.trainingBytes + request.model.arenaBytes)
      } catch { throw VDSQError(.budgetTooSmall, error.message) }
      let trainer = try FewShotTrainer(plan)
      let adapter = try trainer.train(on: try trainer.encode(request.examples))
      try adapter.write(to: path, replace: true)
    } catch { throw Self.fault(error) }
  }

  /// An adapter that learns one example after another.
  private func begin(
    _ request: TrainingRequest, _ labels: [Label], _ path: String
  ) throws(VDSQError) {
    try Label.checkChoice(labels)
    let encoder = try request.model.model.encoder(try request.model.model.encoderOptions(run))
    let set = try LabelSet(labels, encoder: encoder, template: request.template)
    unlink(path)
    let learner = OnlineLearner(path: path, encoder: encoder)
    try learner.begin(set)
    for (index, example) in request.examples.enumerated() {
      _ = try learner.learn(example, context: "example \(index)")
    }
  }

  /// Changes an adapter by `body`, and serves it. The change is on the disk before it is answered.
  func change(
    _ adapter: ServedAdapter.Description, of model: ServedModel.Description,
    _ body: (OnlineLearner, TextEncoder) throws(VDSQError) -> HTTPAnswer,
    done: @escaping @Sendable (Result<HTTPAnswer, RequestError>) -> Void
  ) {
    let answer: HTTPAnswer
    do throws(VDSQError) {
      let learner: OnlineLearner
      if let online, online.learner.path == adapter.path,
        online.model == ObjectIdentifier(model.model)
      {
        learner = online.learner
      } else {
        learner = try makeLearner(adapter, model)
      }
      do throws(VDSQError) {
        answer = try body(learner, learner.encoder)
      } catch {
        // What was not written must not be known either.
        online = nil
        throw error
      }
    } catch { return done(.failure(Self.fault(error))) }
    let name = adapter.name
    serve { error in
      done(error.map { .failure($0) } ?? .success(answer))
    } _: { (state) throws(RequestError) in
      _ = try state.currentAdapter(name)
    }
  }

  private func makeLearner(
    _ adapter: ServedAdapter.Description, _ model: ServedModel.Description
  ) throws(VDSQError) -> OnlineLearner {
    var run = run
    (run.prompt, run.dimensions) = (nil, nil)
    let learner = OnlineLearner(
      path: adapter.path,
      encoder: try OnlineLearner.encoder(for: adapter.path, model: model.model, run: run))
    online = (ObjectIdentifier(model.model), learner)
    return learner
  }

  /// Removes an adapter's file, and serves it no more.
  func remove(
    _ adapter: ServedAdapter.Description, done: @escaping @Sendable (RequestError?) -> Void
  ) {
    if online?.learner.path == adapter.path { online = nil }
    let (name, path, log) = (adapter.name, adapter.path, log)
    serve(done) { (state) throws(RequestError) in
      guard unlink(path) == 0 || errno == ENOENT else {
        throw RequestError(.storage, "\(name): cannot be removed: \(lastErrorText())")
      }
      state.remove(name)
      log.info("an adapter was removed", metadata: ["adapter": "\(name)"])
    }
  }

  /// Lets the engine do something between two passes, and waits for it.
  private func serve(
    _ done: @escaping @Sendable (RequestError?) -> Void,
    _ body: @escaping @Sendable (InferenceEngine.State) throws(RequestError) -> Void
  ) {
    do throws(RequestError) {
      try engine.submit(
        Job(alone: { state in
          do throws(RequestError) {
            try body(state)
            done(nil)
          } catch { done(error) }
        }))
    } catch { done(error) }
  }

  /// Files that cannot be written are the server's fault, whatever the request was.
  private static func fault(_ error: VDSQError) -> RequestError {
    for code in [ENOSPC, EROFS, EACCES, EDQUOT, EIO, EPERM]
    where error.message.contains(String(cString: strerror(code))) {
      return RequestError(.storage, error.message)
    }
    return RequestError(causedBy: error)
  }

  // MARK: Explanations

  /// Explains answers of the engine.
  func explain(
    _ answer: Job.Answer, of model: ServedModel.Description
  ) throws(RequestError) -> [Explanation?] {
    guard let classifier = answer.classifier else {
      throw RequestError(.fault, "the classifier is not known")
    }
    do throws(VDSQError) {
      if explanations?.serves(model, answer.encoderOptions) != true {
        explanations = nil
        do throws(RequestError) {
          try checkRoom(model.arenaBytes + model.vocabularySize * (model.dimensions + 8))
        } catch { throw VDSQError(.budgetTooSmall, error.message) }
        explanations = try ExplanationRoom(model, answer.encoderOptions)
      }
      return try explanations!.explain(answer, by: classifier)
    } catch { throw RequestError(causedBy: error) }
  }
}
