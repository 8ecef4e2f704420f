/// Reports the progress of long work, in bytes or items.
public final class Progress {
  /// The bytes or items completed so far.
  public private(set) var done = 0
  /// The bytes or items of the whole work.
  public let total: Int
  private let report: (Progress) -> Void

  /// Starts at 0. `report` is called after each advance.
  public init(total: Int, report: @escaping (Progress) -> Void) {
    self.total = total
    self.report = report
  }

  /// Adds to the completed bytes or items, and reports.
  public func advance(_ count: Int) {
    done += count
    report(self)
  }
}
