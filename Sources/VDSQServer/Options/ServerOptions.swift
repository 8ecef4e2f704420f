import Glibc
package import VDSQ
package import VDSQFormat

/// How a server is run.
package struct ServerOptions: Sendable {
  /// A file with the name by which clients know it.
  package struct Source: Sendable, Equatable {
    package let name: String
    package let path: String

    package init(name: String, path: String) { (self.name, self.path) = (name, path) }

    /// `NAME=FILE`, or a file whose name without the ending is the name.
    ///
    /// - Throws: `usage` if the name is none.
    package init(_ text: String) throws(VDSQError) {
      if let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") {
        (name, path) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
      } else {
        let last = text.split(separator: "/").last.map(String.init) ?? text
        let ends = [".vdsq", ".vdsa"].filter { last.hasSuffix($0) && last.count > $0.count }
        (name, path) = (String(last.dropLast(ends.first?.count ?? 0)), text)
      }
      guard ServerOptions.isName(name), !path.isEmpty else {
        throw .usage(
          "\(text): NAME=FILE, with a name of up to 64 letters, digits, ., - and _"
        )
      }
    }
  }

  /// What a server refuses and how long it waits. Times are nanoseconds.
  package struct Limits: Sendable {
    /// Bytes of a body.
    package var body = 2 << 20
    /// Bytes of the bodies of all requests.
    package var bodies = 4 << 20
    /// Texts of a request.
    package var texts = 256
    /// Bytes of a text.
    package var textBytes = 100_000
    /// Texts that wait for the model.
    package var queuedTexts = 1024
    /// Texts of a pass.
    package var batchTexts = 256
    /// Examples of a training.
    package var examples = 5000
    /// Labels of a request, and words of all of them.
    package var labels = 256
    package var words = 1024
    package var explanations = 16
    /// Trainings and explanations that wait; and requests for generated texts.
    package var queuedTasks = 64
    /// Texts that are generated at a time, from 1 to 8.
    package var generatedTexts = 4
    package var adapters = 256
    /// How long a pass waits for further texts.
    package var batchDelay: Int64 = 0
    /// How long nothing is asked before memory is released; 0 for never.
    package var restDelay: Int64 = 60_000_000_000
    package var connections = 1024
    /// From the first byte of a request to its last.
    package var reading: Int64 = 20_000_000_000
    /// Between two requests of a connection.
    package var idle: Int64 = 75_000_000_000
    /// For a client that does not read its answer.
    package var writing: Int64 = 20_000_000_000
    /// From SIGTERM to the end, for requests that were taken.
    package var stopping: Int64 = 25_000_000_000

    package init() {}
  }

  /// A certificate and its key, in PEM.
  package struct TLS: Sendable {
    package let certificate: String
    package let key: String

    package init(certificate: String, key: String) {
      (self.certificate, self.key) = (certificate, key)
    }
  }

  package var models: [Source] = []
  package var adapters: [Source] = []
  /// Where adapters that requests make are kept; nil to refuse them.
  package var stateDirectory: String?
  package var addresses: [ListenAddress] = []
  package var limits = Limits()
  /// Keys of which a request must have one; none to ask for none.
  package var keys: [String] = []
  package var tls: TLS?
  /// Further names by which browsers may reach a server without keys.
  package var hosts: [String] = []
  package var run = RunOptions()

  package init() {}

  /// Whether bytes fit the memory budget beside what is resident.
  func hasRoom(for bytes: Int) -> Bool {
    run.memoryBudget.map { ServerMetrics.residentBytes + bytes <= $0 } ?? true
  }

  /// Whether a text can name a model or an adapter. An adapter's is also the name of a file.
  package static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 64, first != UInt8(ascii: ".") else {
      return false
    }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }

  /// Bytes that the server itself may take beside its models: bodies and what is made of them,
  /// connections, and an encoder for learning.
  var reserve: Int { 2 * limits.bodies + (4 << 20) }

  /// The folder of adapters that requests make.
  var adapterFolder: String? { stateDirectory.map { "\($0)/adapters" } }

  /// The path of an adapter that requests make.
  func path(ofAdapter name: String) -> String? { adapterFolder.map { "\($0)/\(name).vdsa" } }

  /// Makes the folder of adapters.
  ///
  /// - Throws: `usage` if it cannot be written to.
  package func makeFolders() throws(VDSQError) {
    guard let stateDirectory, let adapterFolder else { return }
    for folder in [stateDirectory, adapterFolder] { mkdir(folder, 0o750) }
    guard access(adapterFolder, W_OK | X_OK) == 0 else {
      throw .usage("--state-directory: \(adapterFolder): cannot be written to")
    }
  }

  /// The adapters in the state directory, by name.
  func storedAdapters() -> [(name: String, path: String)] {
    guard let adapterFolder, let folder = opendir(adapterFolder) else { return [] }
    defer { closedir(folder) }
    var found: [(String, String)] = []
    while let entry = readdir(folder) {
      let file = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard file.hasSuffix(".vdsa") else { continue }
      let name = String(file.dropLast(5))
      if Self.isName(name) { found.append((name, "\(adapterFolder)/\(file)")) }
    }
    return found.sorted { $0.0 < $1.0 }
  }
}
