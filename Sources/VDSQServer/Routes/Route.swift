/// The routes of the server. Raw values are values of the label `route` in metrics.
package enum Route: String, CaseIterable, Sendable {
  case page = "/"
  case openAPI = "/openapi.json"
  case health = "/health"
  case metrics = "/metrics"
  case info = "/info"
  case models = "/v1/models"
  case embeddings = "/v1/embeddings"
  case completions = "/v1/completions"
  case chatCompletions = "/v1/chat/completions"
  case embed = "/embed"
  case predict = "/predict"
  case rerank = "/rerank"
  case similarity = "/similarity"
  case tokenize = "/tokenize"
  case classify = "/classify"
  case adapters = "/adapters"
  /// What is not one of the others.
  case none = "(none)"

  /// The route of a path, and what follows it, such as an adapter's name.
  init(path: String) {
    switch path {
    case "/v1/rerank": self = .rerank
    case "(none)": self = .none
    default:
      if let route = Route(rawValue: path) {
        self = route
      } else if path.hasPrefix("/v1/models/") {
        self = .models
      } else if path.hasPrefix("/adapters/") {
        self = .adapters
      } else {
        self = .none
      }
    }
  }

  /// Whether it is answered without a key: the page has nothing of the user's.
  var isOpen: Bool {
    switch self {
    case .page, .openAPI, .health: true
    default: false
    }
  }

  /// Whether errors have OpenAI's form.
  var isOpenAI: Bool {
    switch self {
    case .embeddings, .models, .completions, .chatCompletions: true
    default: false
    }
  }
}
