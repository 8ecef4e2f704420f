/// Reports the progress of long work, in bytes or items.
public final class Progress {
  public private(set) var done = 0
  public let total: Int
  private let report: (Progress) -> Void

  public init(total: Int, report: @escaping (Progress) -> Void) {
    self.total = total
    self.report = report
  }

  public func advance(_ count: Int) {
    done += count
    report(self)
  }
}
