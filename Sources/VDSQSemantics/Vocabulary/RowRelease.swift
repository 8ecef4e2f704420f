import VDSQFormat

/// Releases the pages of a matrix behind a reader that goes through its rows in order.
struct RowRelease {
  /// Pages are released when so many bytes of rows have been read.
  static let step = 1 << 20

  private let container: Container
  private let view: TensorView
  private let end: Int
  private let rowsOfStep: Int
  private var first: Int

  /// - Parameters:
  ///   - view: a row-major matrix in the container.
  ///   - range: the rows that the reader will read.
  init(_ view: TensorView, in container: Container, _ range: Range<Int>) {
    (self.view, self.container) = (view, container)
    (first, end) = (range.lowerBound, range.upperBound)
    rowsOfStep = max(1, Self.step / max(1, view.record.rowBytes))
  }

  /// Call this when the rows before `next` have been read.
  mutating func advance(to next: Int) {
    guard next - first >= rowsOfStep || next == end else { return }
    let rowBytes = view.record.rowBytes
    container.release(
      view, first * rowBytes..<next * rowBytes,
      expecting: min(rowsOfStep, end - next) * rowBytes)
    first = next
  }
}
