import Glibc
import VDSQFiles
package import VDSQFormat
package import VDSQInference

/// A file that caches the states of texts, keyed by the digests of the texts.
///
/// Only digests are in memory. A state is read on demand, and a state with a wrong checksum counts
/// as missing. Processes can share a file: each appends whole records under a lock, and a record
/// that a kill truncated is overwritten by the next.
package final class StateCache {
  /// The first half of the SHA-256 of the text that the model read.
  package struct Key: Hashable {
    package let low: UInt64
    package let high: UInt64

    package init(_ text: UnsafeRawBufferPointer) {
      (low, high) = SHA256.digest(of: text).withUnsafeBytes {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
    }

    fileprivate init(record: UnsafeRawBufferPointer) {
      low = record.loadUnaligned(as: UInt64.self)
      high = record.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }
  }

  /// The file in the folder. Its name holds the model's identity, the settings and the dimensions.
  package let path: String
  private let dimensions: Int
  private let descriptor: Int32
  /// The offset of each text's record.
  private var records: [Key: Int] = [:]
  private var pending: [UInt8] = []
  private var buffer: [UInt8]
  private let crc = CRC32()

  private static let keyLength = 16
  private static let pendingLimit = 1 << 18
  private var recordLength: Int { Self.keyLength + 4 * dimensions + 4 }

  /// Opens or creates the file for a model and the settings on which its states depend.
  ///
  /// - Parameters:
  ///   - folder: created if it does not exist. Its parent must exist.
  ///   - settings: the settings on which states depend besides the model and the text. They are
  ///     part of the file's name.
  /// - Throws: `usage` if the folder cannot be used.
  package init(folder: String, encoder: TextEncoder, settings: String) throws(VDSQError) {
    dimensions = encoder.dimensions
    let identity = String(encoder.container.identity, radix: 16)
    path = "\(folder)/\(identity)-\(settings)-\(dimensions).states"
    mkdir(folder, 0o700)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    buffer = []
    guard descriptor >= 0 else { throw .usage("\(path): cannot be written: \(lastErrorText())") }
    buffer = [UInt8](repeating: 0, count: recordLength)
    index()
  }

  /// Opens the file of an encoder's states in a folder.
  ///
  /// Returns nil if there is no folder, and if the encoder has updated weights, because its states
  /// are only valid with their adapter.
  ///
  /// - Throws: `usage` if the folder cannot be used.
  package convenience init?(folder: String?, encoder: TextEncoder) throws(VDSQError) {
    guard let folder, encoder.updates == nil else { return nil }
    let settings =
      [encoder.options.precision == .high ? "high" : "int8", "\(encoder.maximumTokens)"]
      + (encoder.options.prompt.map { prompt in
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in prompt.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return ["p" + String(hash, radix: 16)]
      } ?? [])
      + (encoder.options.dimensions == nil ? [] : ["cut"])
      + encoder.intermediateFeatures.map { "\($0.layer)\($0.tokens == .firstToken ? "f" : "")" }
    try self.init(folder: folder, encoder: encoder, settings: settings.joined(separator: "-"))
  }

  deinit { close(descriptor) }

  private var length: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  private func index() {
    let end = length
    var start = 0
    while start + recordLength <= end {
      let count = buffer.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, Self.keyLength, start)
      }
      guard count == Self.keyLength else { return }
      records[buffer.withUnsafeBytes { Key(record: $0) }] = start
      start += recordLength
    }
  }

  /// Appends the cached state of a text to `states`.
  ///
  /// - Returns: whether the state was found.
  package func find(_ key: Key, into states: inout [Float]) -> Bool {
    guard let start = records[key] else { return false }
    let isWhole = buffer.withUnsafeMutableBytes { raw in
      pread(descriptor, raw.baseAddress, raw.count, start) == raw.count
        && crc.checksum(of: UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - 4)]))
          == raw.loadUnaligned(fromByteOffset: raw.count - 4, as: UInt32.self)
    }
    guard isWhole else { return false }
    buffer.withUnsafeBytes { raw in
      for i in 0..<dimensions {
        states.append(raw.loadUnaligned(fromByteOffset: Self.keyLength + 4 * i, as: Float.self))
      }
    }
    return true
  }

  /// Adds the state of a text. It is in the file after the next `flush` at the latest.
  package func add(_ key: Key, _ state: UnsafePointer<Float>) throws(VDSQError) {
    let start = pending.count
    withUnsafeBytes(of: key.low) { pending.append(contentsOf: $0) }
    withUnsafeBytes(of: key.high) { pending.append(contentsOf: $0) }
    pending.append(contentsOf: UnsafeRawBufferPointer(start: state, count: 4 * dimensions))
    let checksum = pending[start...].withUnsafeBytes { crc.checksum(of: $0) }
    withUnsafeBytes(of: checksum) { pending.append(contentsOf: $0) }
    if pending.count >= Self.pendingLimit { try flush() }
  }

  /// Appends pending states to the file.
  ///
  /// - Throws: `usage` if the disk is full or the file cannot be written.
  package func flush() throws(VDSQError) {
    guard !pending.isEmpty else { return }
    flock(descriptor, LOCK_EX)
    defer { flock(descriptor, LOCK_UN) }
    let start = length / recordLength * recordLength
    var position = start
    var rest = pending[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, position) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .usage("\(path): cannot be written: \(lastErrorText())") }
      position += count
      rest = rest.dropFirst(count)
    }
    pending.withUnsafeBytes { raw in
      for place in stride(from: 0, to: raw.count, by: recordLength) {
        records[Key(record: UnsafeRawBufferPointer(rebasing: raw[place...]))] = start + place
      }
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// The states of texts, which stay in the file.
  ///
  /// - Precondition: each was found, or added and flushed.
  package func rows(of keys: [Key]) throws(VDSQError) -> StateRows {
    StateRows(
      try StateRecords(
        descriptor, path: path, offsets: keys.map { records[$0]! + Self.keyLength },
        columns: dimensions))
  }
}
