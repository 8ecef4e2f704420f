public import Foundation

/// A folder that is removed with everything in it.
public final class TemporaryFolder {
  public let url: URL

  public init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("vdsq-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  public var contents: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
  }

  /// A copy of a fixture folder that a test may damage.
  public func copy(ofFixture name: String, as copy: String? = nil) throws -> String {
    let target = path(copy ?? name)
    try FileManager.default.copyItem(atPath: Fixtures.path(name), toPath: target)
    return target
  }

  public func write(_ bytes: some DataProtocol, to name: String) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }
}
