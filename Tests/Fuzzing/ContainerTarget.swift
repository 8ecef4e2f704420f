import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

/// A .vdsq file: opens it, runs it on a text if it is a model, and reads its tensors. Checksums are
/// corrected first, because the code behind them would never be reached otherwise.
func fuzzContainer(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  var file = Array(bytes)
  repairChecksums(&file)
  let path = file.withUnsafeBytes(MemoryFile.path)
  let container = try Container(path: path)
  for record in container.tensors.prefix(8) where record.columns < 4096 {
    var row: [Float] = []
    try StoredRows(container, record.name).row(record.rows - 1, into: &row)
  }
  guard container.header.kind == .model else { return }
  var options = TextEncoder.Options()
  options.maximumTokens = 16
  let encoder = try TextEncoder(container, options: options)
  // The size of a plan is bounded by the file's own claims, not by its length, so large plans are
  // not run.
  guard encoder.arena.length < 1 << 22 else { return }
  _ = try encoder.vector(of: "a bad the x")
  guard let head = try ModelHead(container, kernels: encoder.kernels) else { return }
  try runHead(head, encoder)
}

/// Runs a model's own head on a text, or on a pair and on tokens.
private func runHead(_ head: ModelHead, _ encoder: TextEncoder) throws(VDSQError) {
  var scratch = [Float](repeating: 0, count: head.scratchCount)
  var scores = [Float](repeating: 0, count: head.description.labels.count)
  func logits(_ state: UnsafePointer<Float>) {
    scratch.withUnsafeMutableBufferPointer { scratch in
      scores.withUnsafeMutableBufferPointer {
        head.logits(state, scratch: scratch.baseAddress!, into: $0.baseAddress!)
      }
    }
    head.description.function.apply(to: &scores)
  }
  let text = Array("a bad THE x".utf8)
  try text.withBytes { (text) throws(VDSQError) in
    switch head.description.reading {
    case .texts:
      guard encoder.pairFrame != nil else { return }
      _ = try encoder.add(text, text)
      try encoder.encode { _, state in logits(state) }
    case .tokens:
      let (ids, states, _) = try encoder.tokenStates(of: text)
      states.withUnsafeBufferPointer { logits($0.baseAddress!) }
      let ranges = TokenOffsets(of: text, encoder.tokenizer, trimsSpaces: true).ranges(of: ids[...])
      precondition(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= text.count })
    }
  }
}

/// Corrects the checksums of a container's sections, table and header if these can be found.
private func repairChecksums(_ file: inout [UInt8]) {
  let crc = CRC32()
  func integer(_ at: Int, _ size: Int) -> Int {
    (0..<size).reduce(0) { $0 | Int(truncatingIfNeeded: UInt64(file[at + $1]) << UInt64(8 * $1)) }
  }
  func put(_ value: UInt32, _ at: Int) {
    for i in 0..<4 { file[at + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
  }
  func checksum(_ range: Range<Int>) -> UInt32 {
    file.withUnsafeBytes { crc.checksum(of: UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
  guard file.count >= 64 else { return }
  // Corrects the length too, because otherwise every longer file would be refused.
  for i in 0..<8 { file[16 + i] = UInt8(truncatingIfNeeded: file.count >> (8 * i)) }
  let table = integer(24, 8), count = integer(32, 4)
  if count <= 4096, table >= 64, table <= file.count, count * 64 <= file.count - table {
    for entry in stride(from: table, to: table + count * 64, by: 64) {
      let offset = integer(entry + 8, 8), length = integer(entry + 16, 8)
      guard offset >= 0, length >= 0, offset <= file.count, length <= file.count - offset else {
        continue
      }
      put(checksum(offset..<offset + length), entry + 32)
    }
    put(checksum(table..<table + count * 64), 36)
  }
  put(checksum(0..<60), 60)
}
