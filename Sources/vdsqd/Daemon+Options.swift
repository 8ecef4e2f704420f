import Glibc
import Logging
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQServer
import VDSQStreams

extension Daemon {
  /// The options in the form of the library.
  ///
  /// - Throws: `usage`, naming the option.
  func options(_ log: Logger) throws(VDSQError) -> ServerOptions {
    var options = ServerOptions()
    options.models = try sources(models, "model")
    options.adapters = try sources(adapter, "adapter")
    options.stateDirectory = stateDirectory
    options.addresses = try addresses()
    options.keys = try keys()
    options.hosts = allowHost
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw .usage("--tls-certificate and --tls-key go together")
    }
    if let tlsCertificate, let tlsKey {
      options.tls = ServerOptions.TLS(certificate: tlsCertificate, key: tlsKey)
    }
    options.limits = try limits()
    options.run = try run(log)
    if options.keys.isEmpty, options.addresses.contains(where: { !$0.isLocal && $0 != .systemd }) {
      log.warning("anyone who reaches the address may ask: there is no key (--api-key-file)")
    }
    return options
  }

  private func sources(
    _ texts: [String], _ what: String
  ) throws(VDSQError) -> [ServerOptions.Source] {
    var sources: [ServerOptions.Source] = []
    for text in texts {
      let source = try ServerOptions.Source(text)
      guard !sources.contains(where: { $0.name == source.name }) else {
        throw .usage("\(text): there are two of the \(what) \(source.name); write NAME=FILE")
      }
      sources.append(source)
    }
    return sources
  }

  private func addresses() throws(VDSQError) -> [ListenAddress] {
    guard !listen.isEmpty else {
      return SystemdSockets.arePassed ? [.systemd] : [.ip(host: "127.0.0.1", port: 8080)]
    }
    var addresses: [ListenAddress] = []
    for text in listen {
      guard let address = ListenAddress(text) else {
        throw .usage("--listen \(text): ADDRESS:PORT, [ADDRESS]:PORT, unix:PATH or systemd")
      }
      addresses.append(address)
    }
    return addresses
  }

  private func keys() throws(VDSQError) -> [String] {
    var keys = apiKey
    if let apiKeyFile {
      let before = keys.count
      guard let file = fopen(apiKeyFile, "r") else {
        throw VDSQError(.missingInput, "\(apiKeyFile): \(lastErrorText())")
      }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 4096)
      while fgets(&line, Int32(line.count), file) != nil {
        let bytes = line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        let key = bytes.filter { $0 > 0x20 && $0 < 0x7F }
        if !key.isEmpty { keys.append(String(decoding: key, as: UTF8.self)) }
      }
      // An empty file must not open the server to everybody.
      guard keys.count > before else { throw .badInput("\(apiKeyFile): there is no key in it") }
    }
    guard keys.allSatisfy({ !$0.isEmpty }) else { throw .usage("--api-key: a key is empty") }
    return keys
  }

  private func limits() throws(VDSQError) -> ServerOptions.Limits {
    var limits = ServerOptions.Limits()
    guard let body = ByteCount.parse(maxBody), body <= 1 << 30 else {
      throw .usage("--max-body \(maxBody): a number of bytes up to 1G, or such as 2M")
    }
    limits.body = body
    limits.bodies = 2 * body
    limits.texts = try within(maxBatch, 1...100_000, "--max-batch")
    limits.textBytes = try within(maxLength, 1...(1 << 30), "--max-length")
    limits.queuedTexts = try within(queue, 1...1_000_000, "--queue")
    guard limits.texts <= limits.queuedTexts else {
      throw .usage(
        "--max-batch \(maxBatch): the queue of \(queue) texts would never take it; --queue sets that"
      )
    }
    limits.batchTexts = try within(batch, 1...4096, "--batch")
    limits.connections = try within(maxConnections, 1...60_000, "--max-connections")
    limits.batchDelay = try nanoseconds(batchDelay / 1000, "--batch-delay", most: 10)
    limits.restDelay = try nanoseconds(restAfter, "--rest-after", most: 1e6)
    limits.stopping = try nanoseconds(stopTimeout, "--stop-timeout", most: 3600)
    raiseFileLimit(limits.connections + 64)
    return limits
  }

  private func within(
    _ value: Int, _ range: ClosedRange<Int>, _ option: String
  ) throws(VDSQError) -> Int {
    guard range.contains(value) else {
      throw .usage("\(option) \(value): from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private func nanoseconds(
    _ seconds: Double, _ option: String, most: Double
  ) throws(VDSQError) -> Int64 {
    guard seconds >= 0, seconds <= most else { throw .usage("\(option): a time, from 0 up") }
    return Int64(seconds * 1e9)
  }

  /// Lets the process have as many connections as it may.
  private func raiseFileLimit(_ count: Int) {
    var limit = rlimit()
    let kind = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    guard getrlimit(kind, &limit) == 0, limit.rlim_cur < rlim_t(count) else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
    setrlimit(kind, &limit)
  }

  private func run(_ log: Logger) throws(VDSQError) -> RunOptions {
    var run = RunOptions()
    run.threads = threads
    run.maximumTokens = maxTokens
    run.prompt = prompt
    if let memoryPolicy {
      guard let policy = MemoryPolicy(name: memoryPolicy) else {
        throw .usage(
          "--memory-policy \(memoryPolicy): \(MemoryPolicy.all.map(\.name).joined(separator: ", "))"
        )
      }
      run.memoryPolicy = policy
    }
    if let memoryBudget {
      guard let bytes = ByteCount.parse(memoryBudget) else {
        throw .usage("--memory-budget \(memoryBudget): a number of bytes, or such as 64M or 64MB")
      }
      run.memoryBudget = bytes
    }
    run.onCutForBudget = { log.warning("\($0)") }
    run.onNote = { log.notice("\($0)") }
    return run
  }
}
