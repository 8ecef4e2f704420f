import Foundation
import TestSupport
import Testing

/// docs/models.md says what the code reads.
@Suite struct ModelsPageTests {
  /// `VDSQ_WRITE_MODELS=1 swift test --filter ModelsPageTests` generates the page anew.
  @Test func pageIsGenerated() throws {
    let url = URL(fileURLWithPath: Fixtures.path("../../docs/models.md"))
    let page = try String(contentsOf: url, encoding: .utf8)
    for (name, _) in ModelsPage.parts {
      #expect(page.contains("<!-- generated: \(name) -->\n"), "docs/models.md has no part \(name)")
    }
    let generated = ModelsPage.generate(page)
    if ProcessInfo.processInfo.environment["VDSQ_WRITE_MODELS"] != nil {
      return try generated.write(to: url, atomically: true, encoding: .utf8)
    }
    let (old, new) = (page.split(separator: "\n"), generated.split(separator: "\n"))
    for line in new where !old.contains(line) { Issue.record("docs/models.md has not: \(line)") }
    #expect(page == generated, "VDSQ_WRITE_MODELS=1 writes docs/models.md anew")
  }
}
