import ArgumentParser
import Glibc
import Logging
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQServer
import VDSQStreams

@main
struct Daemon: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vdsqd",
    abstract:
      "Serves models over HTTP: embeddings, classification, reranking, and a page to teach.",
    discussion: """
      Speaks the API of OpenAI (/v1/embeddings, /v1/models), of Text Embeddings Inference (/embed, \
      /predict, /rerank, /similarity, /tokenize, /info, /health, /metrics) and its own (/classify, \
      /adapters). The page at / classifies and teaches. GET /openapi.json describes all routes; \
      docs/serve.md explains them.

      SIGTERM ends it when everything that was taken is answered; SIGHUP reads models, adapters and \
      certificate again. Exit codes are those of vdsq.
      """,
    version: Release.version)

  @Argument(
    help: ArgumentHelp(
      "Models: FILE, or NAME=FILE for the name by which clients know it.", valueName: "model"),
    completion: .file())
  var models: [String] = []

  @Option(
    help: "An adapter: FILE or NAME=FILE; may be repeated. It is read again when it changes.",
    completion: .file())
  var adapter: [String] = []

  @Option(
    help: """
      Where to listen: ADDRESS:PORT, unix:PATH or systemd (socket activation); may be repeated. The \
      default is 127.0.0.1:8080, or systemd's sockets if it passed some.
      """)
  var listen: [String] = []

  @Option(
    help: "A folder for adapters that requests train. Without it, requests train none.",
    completion: .directory)
  var stateDirectory: String?

  @Option(
    help: """
      A key that requests must have (authorization: Bearer KEY); may be repeated. Others see it in \
      the list of processes; --api-key-file does not show it.
      """)
  var apiKey: [String] = []

  @Option(help: "A file of keys, one per line.", completion: .file())
  var apiKeyFile: String?

  @Option(help: "A certificate chain in PEM, for TLS.", completion: .file())
  var tlsCertificate: String?

  @Option(help: "The certificate's key in PEM.", completion: .file())
  var tlsKey: String?

  @Option(
    help: """
      A host name by which browsers may reach a server without keys, besides addresses and \
      localhost; may be repeated.
      """)
  var allowHost: [String] = []

  @Option(help: "Threads that share a pass of the model; all processors by default.")
  var threads = min(256, Processors.available)

  @Option(
    help: "The limit of the process's peak memory: 64M (MiB), 64MB, 1G or a number of bytes.")
  var memoryBudget: String?

  @Option(help: "How layers are kept in memory: resident, release or stream.")
  var memoryPolicy: String?

  @Option(help: "Cut texts to this many tokens; by default the model's longest sequence.")
  var maxTokens: Int?

  @Option(help: "The model's prompt, by its name, that precedes every text.")
  var prompt: String?

  @Option(help: "The most bytes of a body.")
  var maxBody = "2M"

  @Option(help: "The most texts of a request.")
  var maxBatch = 256

  @Option(help: "The most bytes of a text.")
  var maxLength = 100_000

  @Option(help: "The most texts that wait for the model; further requests get 429.")
  var queue = 1024

  @Option(help: "The most texts of a pass of the model.")
  var batch = 256

  @Option(help: "Milliseconds that a pass waits for further texts.")
  var batchDelay = 0.0

  @Option(help: "The most connections at a time.")
  var maxConnections = 1024

  @Option(help: "Seconds without requests after which memory is released; 0 for never.")
  var restAfter = 60.0

  @Option(help: "Seconds for answering what was taken, after SIGTERM.")
  var stopTimeout = 25.0

  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel = "info"

  @Option(help: "The form of the log on standard error: text or json.")
  var logFormat = "text"

  static func main() async {
    ProcessStart.openStandardDescriptors()
    ProcessStart.watchMaps(program: "vdsqd")
    ProcessMemory.releaseCode(piece: 16384)
    ProcessMemory.shareHeap()
    signal(SIGPIPE, SIG_IGN)
    do throws(VDSQError) { _ = try ProcessStart.readArguments() } catch { end(error) }
    do {
      let command = try parse(NegativeValues.joined(ProcessStart.arguments))
      try await command.serve()
    } catch let error as VDSQError {
      end(error)
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess { exit(withError: error) }
      var message = fullMessage(for: error)
      if message.hasPrefix("Error: ") { message.removeFirst(7) }
      write("vdsqd: \(message)\n")
      Glibc.exit(code.rawValue)
    }
  }

  private static func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }

  private static func end(_ error: VDSQError) -> Never {
    write("vdsqd: \(message(of: error))\n")
    Glibc.exit(error.category.rawValue)
  }

  /// The error with the option that its setting is given by.
  private static func message(of error: VDSQError) -> String {
    switch error.setting {
    case .threads: "--threads: \(error.message)"
    case .maximumTokens: "--max-tokens: \(error.message)"
    case .memoryBudget: "--memory-budget: \(error.message)"
    case .memoryPolicy: "--memory-policy: \(error.message)"
    case .prompt: "--prompt: \(error.message)"
    default: error.message
    }
  }

  func validate() throws {
    guard !models.isEmpty else { throw ValidationError("name a model: a .vdsq file") }
  }

  private func serve() async throws(VDSQError) {
    guard let level = Logger.Level(rawValue: logLevel) else {
      throw .usage(
        "--log-level \(logLevel): trace, debug, info, notice, warning, error or critical")
    }
    guard let format = StructuredLog.Format(rawValue: logFormat) else {
      throw .usage("--log-format \(logFormat): text or json")
    }
    let log = Logger(label: "vdsqd") { _ in StructuredLog(format, level: level) }
    try await Server(try options(log), log: log).run()
  }
}
