package import VDSQFormat

/// A PyTorch checkpoint (`torch.save` in the zip format since version 1.6): a pickle that describes
/// tensors, and their storages.
package struct PyTorchArchive {
  /// The open zip archive, from which tensors are read.
  package let file: InputFile
  /// Tensors by name. Tensors of types that hold no weights are omitted.
  package let tensors: [String: SourceTensor]

  /// The limit for the pickle, which is a description and not data.
  private static let longestPickle = 1 << 28

  /// Whether a file starts like a zip archive.
  static func isArchive(_ path: String) -> Bool {
    guard let file = try? InputFile(path: path) else { return false }
    return (try? file.bytes(at: 0, count: 4)) == [0x50, 0x4B, 3, 4]
  }

  /// - Throws: `missingInput` or `badInput`, naming the unsupported feature.
  package init(path: String) throws(VDSQError) {
    file = try InputFile(path: path)
    if let signature = file.signature {
      switch signature {
      case .zip: break
      default: throw .badInput("\(path): \(signature.description)")
      }
    }
    let archive = try ZipDirectory(file)
    // All entries are in one folder, named after the file when it was saved.
    guard let pickle = archive.entries.first(where: { $0.key.hasSuffix("/data.pkl") }) else {
      throw .badInput("\(path): zip: no data.pkl; this is no checkpoint of torch.save")
    }
    let folder = pickle.key.dropLast("data.pkl".count)
    if let order = archive.entries["\(folder)byteorder"] {
      let text = try file.bytes(at: order.offset, count: min(order.length, 16))
      guard text.starts(with: "little".utf8) else {
        throw .badInput("\(path): the tensors are big-endian")
      }
    }
    guard pickle.value.length <= Self.longestPickle else {
      throw .badInput("\(path): a pickle of \(pickle.value.length) bytes describes no tensors")
    }
    let bytes = try file.bytes(at: pickle.value.offset, count: pickle.value.length)
    var tensors: [String: SourceTensor] = [:]
    for (name, described) in try TensorPickle.tensors(in: bytes, path: path) {
      guard let type = described.type else { continue }
      guard let storage = archive.entries["\(folder)data/\(described.storage)"] else {
        throw .badInput("\(path): the storage of tensor \(name) is missing")
      }
      tensors[name] = try Self.tensor(name, described, type, storage, file)
    }
    self.tensors = tensors
  }

  private static func tensor(
    _ name: String, _ described: TensorPickle.Tensor, _ type: SourceType,
    _ storage: ZipDirectory.Entry, _ file: InputFile
  ) throws(VDSQError) -> SourceTensor {
    var count = 1
    var isContiguous = true
    for (size, stride) in zip(described.shape, described.strides).reversed() {
      if size != 1, stride != count { isContiguous = false }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= 1 << 48 else {
        throw .badInput("\(file.path): tensor \(name): the product of its shape overflows")
      }
      count = product
    }
    guard isContiguous || count == 0 else {
      throw .badInput(
        "\(file.path): tensor \(name) is a view that is not contiguous; save tensor.contiguous()")
    }
    guard described.offset >= 0, described.offset <= storage.length / type.blockSize,
      count <= storage.length / type.blockSize - described.offset
    else { throw .badInput("\(file.path): tensor \(name) lies outside of its storage") }
    return SourceTensor(
      name: name, type: type, shape: described.shape, file: file,
      offset: storage.offset + described.offset * type.blockSize)
  }
}
