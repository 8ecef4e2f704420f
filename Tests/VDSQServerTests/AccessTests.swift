import Foundation
import TestSupport
import Testing
import VDSQServer

@Suite struct AccessTests {
  @Test func keys() async throws {
    let server = try ServerFixture { $0.keys = ["secret", "other"] }
    for headers in [[:], ["authorization": "Bearer wrong"], ["authorization": "secret"]] {
      let answer = await server.ask(.GET, "/info", headers: headers)
      #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer")
    }
    for key in ["secret", "other"] {
      let answer = await server.ask(.GET, "/info", headers: ["authorization": "Bearer \(key)"])
      #expect(answer.status == 200)
    }
    for open in ["/", "/health", "/openapi.json"] {
      #expect(await server.ask(.GET, open).status == 200)
    }
  }

  /// A page of another name or origin must not ask a server that only this machine reaches.
  @Test(arguments: [
    ("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("box.local", 200),
    ("evil.example", 403), ("evil.example:8080", 403), ("127.0.0.1.evil.example", 403),
  ])
  func hosts(_ host: String, _ status: Int) async throws {
    let server = try ServerFixture { $0.hosts = ["box.local"] }
    #expect(await server.ask(.GET, "/info", headers: ["host": host]).status == status)
  }

  @Test func originsAndTypes() async throws {
    let server = try ServerFixture()
    let body = #"{"inputs": "a"}"#
    let own = ["host": "localhost:1", "origin": "http://localhost:1"]
    #expect(await server.ask(.POST, "/embed", body, headers: own).status == 200)
    let other = ["host": "localhost:1", "origin": "http://localhost:2"]
    #expect(await server.ask(.POST, "/embed", body, headers: other).status == 403)
    for type in ["text/plain", "application/x-www-form-urlencoded", ""] {
      let answer = await server.ask(.POST, "/embed", body, headers: ["content-type": type])
      #expect(answer.status == 415)
    }
    let zipped = await server.ask(.POST, "/embed", body, headers: ["content-encoding": "gzip"])
    #expect(zipped.status == 415)
  }

  @Test func methods() async throws {
    let server = try ServerFixture()
    let answer = await server.ask(.GET, "/embed")
    #expect(answer.status == 405 && answer.headers["allow"] == "POST")
    #expect(await server.ask(.DELETE, "/info").status == 405)
    #expect(await server.ask(.GET, "/nothing").status == 404)
  }
}
