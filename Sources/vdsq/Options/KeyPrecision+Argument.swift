public import ArgumentParser
public import VDSQ

extension KeyPrecision: ExpressibleByArgument {
  private static let all: [KeyPrecision] = [.float32, .float16, .int8]

  public init?(argument: String) {
    guard let own = Self.all.first(where: { "\($0.name)" == argument }) else { return nil }
    self = own
  }

  public static var allValueStrings: [String] { all.map { "\($0.name)" } }

  public var defaultValueDescription: String { "\(name)" }
}
