import VDSQStreams

/// The bodies of failures: OpenAI's form on its routes, otherwise that of Text Embeddings Inference.
enum ErrorBody {
  static func encoded(_ error: RequestError, for route: Route, status: Int) -> [UInt8] {
    Array(
      JSONWriter.string { json in
        json.object {
          guard route.isOpenAI else {
            json.member("error", error.message)
            json.member("error_type", error.reason.teiType)
            return
          }
          json.key("error")
          json.object {
            json.member("message", error.message)
            json.member("type", error.reason.openAIType)
            json.member("param", error.field)
            json.member("code", error.reason.rawValue)
          }
        }
      }.utf8)
  }
}
