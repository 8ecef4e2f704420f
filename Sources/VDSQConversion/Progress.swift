/// How far a long piece of work is, told in bytes or items to whoever wants to show it.
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
