package import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle
import UnixSignals
import VDSQ
package import VDSQFormat
import VDSQInference

/// A server over models: opens them, listens, and answers until a signal.
///
///     var options = ServerOptions()
///     options.models = [try ServerOptions.Source("minilm.vdsq")]
///     options.addresses = [.ip(host: "127.0.0.1", port: 8080)]
///     try await Server(options, log: log).run()
package final class Server: Sendable {
  private let options: ServerOptions
  private let log: Logger
  private let http: HTTPServer
  private let engine: InferenceEngine
  private let learner: Learner
  private let generation: GenerationEngine
  private let router: Router

  /// Opens the models and the adapters.
  ///
  /// - Throws: the errors of opening them; `budgetTooSmall` if they do not fit the memory budget.
  package init(_ options: ServerOptions, log: Logger) throws(VDSQError) {
    self.options = options
    self.log = log
    try options.makeFolders()
    let metrics = ServerMetrics()
    let catalog = PublishedCatalog()
    let state = InferenceEngine.State(options, catalog, metrics, log)
    try state.open()
    engine = InferenceEngine(state, metrics: metrics, log: log)
    learner = Learner(options, engine: engine, metrics: metrics, log: log)
    generation = GenerationEngine(options, metrics: metrics)
    router = Router(
      options, catalog: catalog, engine: engine, learner: learner, generation: generation,
      metrics: metrics)
    http = HTTPServer(options, router: router, metrics: metrics, log: log)
  }

  /// Answers until SIGTERM or SIGINT, and then what was taken. SIGHUP reads models, adapters and
  /// certificate again.
  ///
  /// - Throws: `usage` if an address cannot be used.
  package func run() async throws(VDSQError) {
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: Service(server: self))],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: Logger(label: "vdsqd.services") { _ in SwiftLogNoOpLogHandler() }))
    do { try await group.run() } catch let error as VDSQError { throw error } catch {
      throw VDSQError(.internalFault, "\(error)")
    }
  }

  private struct Service: ServiceLifecycle.Service {
    let server: Server

    func run() async throws {
      try await server.serve()
    }
  }

  /// Starts the threads that answer.
  package func start() {
    engine.start()
    learner.start()
    generation.start()
  }

  /// Ends the threads when everything that was taken is answered.
  package func stop() {
    generation.stop()
    learner.stop()
    engine.stop()
  }

  /// Answers a request that did not come through a socket. The threads must be started.
  package func answer(_ request: HTTPRequest) async -> HTTPAnswer {
    let parts = NIOLockedValueBox<HTTPAnswer?>(nil)
    return await withCheckedContinuation { continuation in
      _ = router.answer(request) { part in
        let whole = parts.withLockedValue { whole in
          if whole == nil { whole = part } else { whole!.body += part.body }
          return whole!
        }
        if !part.continues { continuation.resume(returning: whole) }
      }
    }
  }

  private func serve() async throws {
    start()
    let names = try await http.start()
    for name in names { log.info("listening", metadata: ["address": "\(name)"]) }
    SystemdNotification.send("READY=1\nSTATUS=listening at \(names.joined(separator: ", "))")
    let hangups = Task { [self] in
      for await _ in await UnixSignalsSequence(trapping: .sighup) { reload() }
    }
    try? await gracefulShutdown()
    hangups.cancel()
    SystemdNotification.send("STOPPING=1")
    log.info("stopping: what was taken is answered")
    await http.stop()
    stop()
    await http.shutDown()
    log.info("stopped")
  }

  private func reload() {
    SystemdNotification.send("RELOADING=1\nMONOTONIC_USEC=\(Clock.now / 1000)")
    log.info("reloading")
    do { try http.readCertificate() } catch {
      log.error("the certificate stays as it was", metadata: ["error": "\(error.message)"])
    }
    let log = log
    let job = Job(alone: { state in
      if state.reload() { log.info("reloaded") }
      SystemdNotification.send("READY=1")
    })
    // An engine that is stopping has nothing to reload.
    try? engine.submit(job)
  }
}
