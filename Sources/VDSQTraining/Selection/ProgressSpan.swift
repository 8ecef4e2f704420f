/// A part of some work that reports the progress of the whole.
package struct ProgressSpan {
  private let start: Double
  private let length: Double
  private let report: (_ share: Double) -> Void

  /// - Parameter report: called with the share of the work that is done, from 0 to 1.
  package init(_ report: @escaping (_ share: Double) -> Void) {
    self.init(start: 0, length: 1, report: report)
  }

  private init(start: Double, length: Double, report: @escaping (Double) -> Void) {
    self.start = start
    self.length = length
    self.report = report
  }

  /// Work without a progress report.
  package static var silent: ProgressSpan { ProgressSpan { _ in } }

  /// Reports the share of this part that is done, from 0 to 1.
  package func advance(to share: Double) { report(start + length * share) }

  /// A part of this part.
  package func part(from first: Double, to last: Double) -> ProgressSpan {
    ProgressSpan(start: start + length * first, length: length * (last - first), report: report)
  }

  /// One of several equal parts of this part.
  package func part(_ index: Int, of count: Int) -> ProgressSpan {
    part(from: Double(index) / Double(count), to: Double(index + 1) / Double(count))
  }
}
