import Foundation
import TestSupport
import Testing

/// `categories`: regions, listed items and the page.
@Suite struct CategoriesCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let vdsq = Program("vdsq")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  /// Texts of three labels, one of them with the label of others.
  private func items() throws -> String {
    let texts = [
      ("stop", "order/stop"), ("stop now", "order/stop"), ("stop it", "order/stop"),
      ("stop the world", "order/stop"), ("go on", "order/go"), ("go on now", "order/go"),
      ("go on and on", "order/go"), ("hello", "greeting"), ("hello world", "greeting"),
      ("hello hello", "greeting"), ("hello café", "greeting"), ("stop twelve", "greeting"),
    ]
    let lines = try texts.map {
      String(
        decoding: try JSONSerialization.data(withJSONObject: ["text": $0.0, "label": $0.1]),
        as: UTF8.self)
    }
    return try folder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: "i.jsonl")
  }

  private func json(_ arguments: [String]) throws -> [String: Any] {
    let result = try vdsq.run(["categories", model] + arguments + ["--json", "-q"])
    #expect(result.status == 0, "\(result.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  @Test func regionsAndItems() throws {
    let items = try items(), page = folder.path("r.html")
    let found = try json([items, "--all", "--report", page])
    let categories = try #require(found["categories"] as? [[String: Any]])
    #expect(
      categories.compactMap { $0["category"] as? String }
        == ["greeting", "order", "order/go", "order/stop"])
    #expect(categories.compactMap { $0["items"] as? Int } == [5, 7, 3, 4])
    let listed = try #require(found["reconsidered"] as? [[String: Any]])
    #expect(listed.count == 12)
    #expect(listed[0]["line"] as? Int == 12 && listed[0]["label"] as? String == "greeting")
    for item in listed { #expect((item["probability"] as? Double ?? -1) <= 100) }
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("the region of order/stop") && html.contains("stop twelve"))
    // Fewer without --all, none of them fits; and with other options.
    let doubted = try #require(try json([items])["reconsidered"] as? [[String: Any]])
    #expect(doubted.count < 12 && doubted.allSatisfy { $0["reason"] as? String != "fits" })
    #expect(try #require(try json([items, "--separator", ""])["categories"] as? [Any]).count == 3)
    #expect(
      try #require(try json([items, "--all", "--limit", "2"])["reconsidered"] as? [Any]).count == 2)
    // A table, an empty line and a head of columns before the items.
    let text = try vdsq.run(["categories", model, items, "--all", "-q"])
    #expect(text.lines.filter { !$0.isEmpty }.count == 1 + 4 + 1 + 12)
  }

  /// Log-odds are those of `review`.
  @Test func reviewsAreTheSame() throws {
    let items = try items()
    let listed = try #require(
      try json([items, "--all", "--review"])["reconsidered"] as? [[String: Any]])
    let review = try vdsq.run(["review", model, items, "--minimum", "0", "--json", "-q"])
    #expect(review.status == 0, "\(review.errors)")
    let expected = try review.lines.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(expected.count == 12)
    for item in expected {
      let own = try #require(listed.first { $0["line"] as? Int == item["line"] as? Int })
      let odds = try #require(own["log_odds"] as? Double)
      #expect(abs(min(1, exp(-odds)) - (item["reconsideration"] as? Double ?? -1)) < 1e-3)
    }
  }
}
