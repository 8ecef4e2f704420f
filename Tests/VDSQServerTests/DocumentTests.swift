import Foundation
import TestSupport
import Testing
import VDSQServer

@Suite struct DocumentTests {
  /// The document lists every route, and nothing else.
  @Test func openAPI() async throws {
    let server = try ServerFixture()
    let document = await server.ask(.GET, "/openapi.json").object
    let paths = Set(try #require(document["paths"] as? [String: Any]).keys)
    let routes = Set(Route.allCases.map(\.rawValue)).subtracting(["(none)"])
    #expect(routes.isSubset(of: paths))
    #expect(
      paths.subtracting(routes) == ["/v1/models/{id}", "/v1/rerank", "/adapters/{name}"])
  }

  @Test func pageAsksNobodyElse() async throws {
    let server = try ServerFixture()
    let answer = await server.ask(.GET, "/")
    #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    #expect(!answer.text.contains("http://") && !answer.text.contains("https://"))
    #expect(answer.text.utf8.count < 40_000)
  }

  /// Every metric is there before the first request.
  @Test func metricsOfTheFirstScrape() async throws {
    let server = try ServerFixture()
    let text = await server.ask(.GET, "/metrics").text
    for line in [
      "vdsq_requests_total{route=\"/embed\",status=\"200\"} 0",
      "vdsq_failures_total{reason=\"queue_full\"} 0", "vdsq_queue_texts 0",
      "vdsq_batch_texts_bucket{le=\"+Inf\"} 0", "vdsq_tokens_total 0",
      "vdsq_request_duration_seconds_count{route=\"/classify\"} 0",
      "# TYPE vdsq_labels_total counter",
      "vdsq_abstentions_total 0",
    ] {
      #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
    }
    let memory = text.split(separator: "\n").first {
      $0.hasPrefix("process_resident_memory_bytes ")
    }
    #expect((memory?.split(separator: " ").last).flatMap { Double($0) } ?? 0 > 1e6)
  }
}
