/// The page at `/`: one file, which asks nothing of other servers.
enum Page {
  static var answer: HTTPAnswer {
    var answer = HTTPAnswer("text/html; charset=utf-8", Array(html.utf8))
    answer.headers = [
      (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
          + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
          + "frame-ancestors 'none'"
      ),
      ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
      ("cache-control", "no-cache"),
    ]
    return answer
  }
}
