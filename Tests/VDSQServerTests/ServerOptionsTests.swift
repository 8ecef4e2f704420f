import Testing
import VDSQFormat
import VDSQServer

@Suite struct ServerOptionsTests {
  @Test func addresses() {
    #expect(ListenAddress("127.0.0.1:8080") == .ip(host: "127.0.0.1", port: 8080))
    #expect(ListenAddress("[::1]:80") == .ip(host: "::1", port: 80))
    #expect(ListenAddress(":0") == .ip(host: "0.0.0.0", port: 0))
    #expect(ListenAddress("unix:/run/x.sock") == .unix(path: "/run/x.sock"))
    #expect(ListenAddress("systemd") == .systemd)
    let long = "unix:/" + String(repeating: "x", count: 110)
    for wrong in ["", "8080", "::1:80", "localhost", "a:99999", "a:-1", "unix:", long] {
      #expect(ListenAddress(wrong) == nil, "\(wrong)")
    }
    #expect(ListenAddress("localhost:1")!.isLocal && !ListenAddress(":1")!.isLocal)
  }

  @Test func sources() throws {
    #expect(try ServerOptions.Source("/a/b.vdsq") == .init(name: "b", path: "/a/b.vdsq"))
    #expect(try ServerOptions.Source("n=/a/b.vdsq") == .init(name: "n", path: "/a/b.vdsq"))
    #expect(try ServerOptions.Source("/a=b/c.vdsa") == .init(name: "c", path: "/a=b/c.vdsa"))
    for wrong in ["", "=x", "n=", ".x=y", "a b.vdsq", "/"] {
      #expect(throws: VDSQError.self, "\(wrong)") { try ServerOptions.Source(wrong) }
    }
  }
}
