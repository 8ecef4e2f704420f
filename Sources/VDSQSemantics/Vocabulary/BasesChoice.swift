package import VDSQFormat
import VDSQInference
package import VDSQKernels

/// Which vocabulary bases states are compared with.
public enum BasesChoice: Sendable, Equatable {
  /// Those of the model's file.
  case own
  /// Rows of the LM head as they are.
  case head
  /// Rows of the word embeddings: the input side.
  case embedding
  /// Those of another file, which `vdsq bases` made for the model.
  case file(String)

  /// The bases of a method that a model's file has, or that take no computation.
  ///
  /// - Parameters:
  ///   - method: `head`, `embedding`, or the method of the file's own bases.
  /// - Throws: `usage` for another method.
  package init(method: String, of model: Container) throws(VDSQError) {
    let own = model.metadata.find("bases_method")
    if let own, own.utf8.elementsEqual(method.utf8) {
      self = .own
    } else if method.utf8.elementsEqual("head".utf8) {
      self = .head
    } else if method.utf8.elementsEqual("embedding".utf8) {
      self = .embedding
    } else {
      throw .usage(
        "\(method): \(model.path) has bases of the methods \(own.map { "\($0), " } ?? "")head and "
          + "embedding; vdsq bases makes files of others", .bases)
    }
  }
}

extension VocabularyRows {
  /// The bases of a choice.
  ///
  /// - Throws: `badInput` if the model has none, or the file is not for it.
  package init(
    _ choice: BasesChoice, of model: Container, _ kernels: KernelTable
  ) throws(VDSQError) {
    switch choice {
    case .own: try self.init(bases: model)
    case .head: try self.init(rows: try VocabularyRows(head: model), kernels)
    case .embedding: try self.init(embeddings: model, kernels)
    case .file(let path): try self.init(path: path, for: model)
    }
  }
}
