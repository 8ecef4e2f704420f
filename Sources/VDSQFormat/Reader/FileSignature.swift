/// A format of model files that is not .vdsq, known by the first bytes of a file.
package enum FileSignature: Sendable {
  /// The text that Git has in place of a file that Git LFS stores.
  case gitLFSPointer
  case gguf
  case safetensors
  /// A zip archive, as `torch.save` writes it since PyTorch 1.6.
  case zip
  /// A pickle that is in no archive, as `torch.save` wrote it before PyTorch 1.6.
  case torchPickle
  /// Any other pickle.
  case pickle
  /// Keras and TensorFlow.
  case hdf5

  /// A pointer is shorter than this.
  package static let longestPointer = 1024

  /// The number of bytes at the start of a file that decide.
  package static let length = 40

  /// - Parameter start: the first bytes of a file, at most `length` are read.
  package init?(_ start: UnsafeRawBufferPointer) {
    func begins(_ text: StaticString) -> Bool {
      start.count >= text.utf8CodeUnitCount
        && text.withUTF8Buffer { start[..<$0.count].elementsEqual($0) }
    }
    func begins(_ bytes: [UInt8]) -> Bool { start.starts(with: bytes) }
    if begins("version https://git-lfs.github.com/spec/") {
      self = .gitLFSPointer
    } else if begins("GGUF") {
      self = .gguf
    } else if begins([0x50, 0x4B, 3, 4]) {
      self = .zip
    } else if begins([0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A]) {
      // The number that torch.save puts first.
      self = .torchPickle
    } else if start.count > 1, start[0] == 0x80, (2...5).contains(start[1]) {
      self = .pickle
    } else if begins([0x89, 0x48, 0x44, 0x46]) {
      self = .hdf5
    } else if start.count > 9, start[8] == UInt8(ascii: "{"), start[6] == 0, start[7] == 0 {
      self = .safetensors
    } else {
      return nil
    }
  }

  /// What a file of the format is, and what to do where another is wanted.
  package var description: String {
    switch self {
    case .gitLFSPointer:
      "this is a Git LFS pointer, not the file itself; fetch the file with git lfs pull"
    case .gguf: "this is a GGUF file"
    case .safetensors: "this is a safetensors file"
    case .zip: "this is a zip archive"
    case .torchPickle:
      "this is a file of torch.save from before PyTorch 1.6; load it and save it again with a "
        + "newer one"
    case .pickle: "this is a pickle that is in no archive of torch.save"
    case .hdf5: "this is an HDF5 file of Keras or TensorFlow"
    }
  }

  /// Whether `vdsq convert` reads files of the format.
  package var isConvertible: Bool {
    switch self {
    case .gguf, .safetensors, .zip: true
    case .gitLFSPointer, .torchPickle, .pickle, .hdf5: false
    }
  }
}
