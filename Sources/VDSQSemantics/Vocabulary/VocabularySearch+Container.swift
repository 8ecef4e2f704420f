package import VDSQFormat
package import VDSQInference
package import VDSQKernels

extension VocabularySearch {
  /// A search over the word embeddings of a model, which are bases of the input side, in place in
  /// the map.
  ///
  /// - Throws: `badInput` if the file has no int8 embeddings, or if `approximate` needs coarse rows
  ///   and there are none.
  package convenience init(
    _ container: Container, shape: [Int], approximate: Bool,
    kernels: KernelTable, threads: ThreadPool, capacity: Int
  ) throws(VDSQError) {
    guard let rows = try? VocabularyRows(bases: container).int8,
      [rows.rows, rows.columns] == shape
    else {
      throw .badInput(
        "\(container.path): the file has no int8 vocabulary; convert the model with int8 weights")
    }
    var coarse: CoarseRows?
    if approximate {
      guard container.find("vocabulary.coarse") != nil else {
        throw .badInput(
          "\(container.path): the file has no coarse rows; convert the model with them, or search "
            + "exactly")
      }
      let view = try container.tensor("vocabulary.coarse", shape: shape, order: .blocks64)
      coarse = CoarseRows(
        codes: view.data, scales: view.scales!, rows: shape[0], columns: shape[1])
    }
    self.init(
      rows: rows, coarse: coarse, kernels: kernels, threads: threads, capacity: capacity)
  }
}
