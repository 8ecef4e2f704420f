import Glibc
import VDSQCheckpoints
import VDSQConversion
import VDSQFiles
package import VDSQFormat
package import VDSQInference

/// The comparison of a converted model with its checkpoint.
package struct Verification: Sendable {
  /// Whether the model was made from these files, by their SHA-256.
  package let isSource: Bool
  /// The fidelity to the checkpoint in float32.
  package let fidelity: Fidelity

  /// Converts the checkpoint to float32 in a temporary file, and runs both over the same texts.
  ///
  /// - Parameters:
  ///   - model: the converted model.
  ///   - checkpoint: a model's folder or file.
  ///   - openModel: opens the converted model.
  ///   - openReference: opens the file at a path, in float32.
  ///   - progress: called with the number of steps that are done and their total. The first half is
  ///     the conversion.
  /// - Throws: the errors of reading the checkpoint and of the closures; `badInput` if the models
  ///   have different shapes.
  package init(
    _ model: Container, against checkpoint: String, texts: [String],
    openModel: () throws(VDSQError) -> TextEncoder,
    openReference: (_ path: String) throws(VDSQError) -> TextEncoder,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws(VDSQError) {
    isSource = try Provenance.matches(model, try Checkpoint(path: checkpoint))
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    // One process may verify several models at a time.
    let number = UInt32.random(in: 0...UInt32.max)
    let temporary = "\(folder)/vdsq-verify-\(getpid())-\(number).vdsq"
    defer { unlink(temporary) }
    var options = Converter.Options(weights: .fp32)
    options.bases = nil
    let converter = try Converter(folder: checkpoint, options: options)
    try withoutActuallyEscaping(progress) { (progress) throws(VDSQError) in
      _ = try converter.write(
        to: temporary, replace: true,
        progress: Progress(total: converter.totalBytes) { progress($0.done, 2 * $0.total) })
    }
    let encoder = try openModel()
    let reference = try openReference(temporary)
    // The name is removed now, so that nothing is left behind whatever happens.
    unlink(temporary)
    fidelity = try Fidelity(model: encoder, reference: reference, texts: texts) {
      progress(texts.count + $0, 2 * texts.count)
    }
  }
}
