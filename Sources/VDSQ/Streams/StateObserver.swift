package import VDSQFormat

/// What sees the states of a stream's texts, and may change the classifier by them.
package struct StateObserver {
  /// The number of texts until the classifier may change. A batch ends there, so that answers do
  /// not depend on the size of batches.
  package let room: () -> Int
  /// Called with the state of each text that is not blank, and its number of elements.
  package let see: (UnsafePointer<Float>, Int) throws(VDSQError) -> Void

  package init(
    room: @escaping () -> Int,
    see: @escaping (UnsafePointer<Float>, Int) throws(VDSQError) -> Void
  ) {
    (self.room, self.see) = (room, see)
  }
}
