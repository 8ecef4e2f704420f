package import VDSQ
package import VDSQFormat
import VDSQSemantics

/// Moves an adapter towards the texts of a stream that it classifies, which have no labels.
///
/// States wait until there are `step` of them. Then the adapter's file is replaced
/// (`OnlineLearner.see`), and whoever follows the file classifies by the new head.
package final class StreamAdaptation {
  /// The number of texts between two changes of the adapter.
  package static let step = Hyperparameters.Stream.step

  /// Why the texts so far do not change the head; nil if they do.
  package private(set) var refusal: UnlabelledRefusal?
  private let learner: OnlineLearner
  private var waiting: [Float] = []
  private var count = 0

  /// - Parameter learner: of an adapter that keeps what its examples taught.
  package init(_ learner: OnlineLearner) { self.learner = learner }

  /// Memory of the work, in bytes.
  ///
  /// - Parameters:
  ///   - labels: the number of labels.
  ///   - dimensions: the number of dimensions of a state.
  package static func bytes(labels: Int, dimensions d: Int) -> Int {
    let rows = Hyperparameters.Unlabelled.mostTexts
    // The ring, its copy in order, the copy about the centre and what is written of it; shares and
    // logits; scatters, products and a factor; the head, which the file may not have yet, while it
    // is followed.
    return 4
      * (4 * rows * d + step * d + 3 * rows * labels + 10 * d * d
        + Adapter.copiesOfFollowed * labels * (d + 1))
  }

  /// Notes the states of classified texts, and changes the adapter whenever there are enough.
  package var observer: StateObserver {
    StateObserver(
      room: { Self.step - self.count },
      see: { (state, dimensions) throws(VDSQError) in
        self.waiting += UnsafeBufferPointer(start: state, count: dimensions)
        self.count += 1
        if self.count == Self.step { try self.end() }
      })
  }

  /// Changes the adapter by the texts that wait.
  ///
  /// - Throws: the errors of reading and writing the adapter's file.
  package func end() throws(VDSQError) {
    guard count > 0 else { return }
    refusal = try learner.see(waiting)
    waiting.removeAll(keepingCapacity: true)
    count = 0
  }
}
