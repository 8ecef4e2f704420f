import VDSQFormat
import VDSQStreams

/// TEI's `/info`, about the first model, and about all of them.
enum InfoRoute {
  static func body(_ options: ServerOptions, _ catalog: Catalog) -> String {
    JSONWriter.string { json in
      json.object {
        if let model = catalog.models.first {
          json.member("model_id", model.name)
          json.member("model_sha", String?.none)
          json.member("model_dtype", model.elements)
          json.key("model_type")
          writeType(model, to: json)
          json.member("max_input_length", model.maximumTokens)
        }
        json.member("max_concurrent_requests", options.limits.queuedTexts)
        json.member(
          "max_batch_tokens", options.limits.batchTexts * (catalog.models.first?.maximumTokens ?? 0)
        )
        json.member("max_batch_requests", options.limits.batchTexts)
        json.member("max_client_batch_size", options.limits.texts)
        json.member("auto_truncate", false)
        json.member("tokenization_workers", 1)
        json.member("version", Release.version)
        json.key("models")
        json.array { for model in catalog.models { write(model, to: json) } }
        json.member("keeps_adapters", options.stateDirectory != nil)
        json.member("max_body", options.limits.body)
        json.member("max_text", options.limits.textBytes)
        json.member("threads", options.run.threads)
      }
    }
  }

  private static func writeType(_ model: ServedModel.Description, to json: JSONWriter) {
    json.object {
      guard !model.labels.isEmpty else {
        json.key("embedding")
        json.object { json.member("pooling", model.pooling) }
        return
      }
      json.key(model.ranks ? "reranker" : "classifier")
      json.object {
        json.key("id2label")
        json.object {
          for (index, label) in model.labels.enumerated() { json.member("\(index)", label) }
        }
        json.key("label2id")
        json.object {
          for (index, label) in model.labels.enumerated() { json.member(label, index) }
        }
      }
    }
  }

  private static func write(_ model: ServedModel.Description, to json: JSONWriter) {
    json.object {
      json.member("id", model.name)
      json.member("dimensions", model.dimensions)
      json.member("max_input_length", model.maximumTokens)
      json.member("labels", model.labels)
      json.member("reranks", model.ranks)
      json.member("nli", model.entails)
      json.member("prompts", model.prompts)
    }
  }
}

/// OpenAI's `/v1/models`.
enum ModelsRoute {
  static func answer(_ path: String, _ catalog: Catalog) throws(RequestError) -> HTTPAnswer {
    guard path != Route.models.rawValue else {
      return HTTPAnswer { json in
        json.object {
          json.member("object", "list")
          json.key("data")
          json.array { for model in catalog.models { write(model, to: json) } }
        }
      }
    }
    let name = String(path.dropFirst(Route.models.rawValue.count + 1))
    guard let model = catalog.model(name) else { throw Router.unknownModel(name, catalog) }
    return HTTPAnswer { json in write(model, to: json) }
  }

  private static func write(_ model: ServedModel.Description, to json: JSONWriter) {
    json.object {
      json.member("id", model.name)
      json.member("object", "model")
      json.member("created", model.created)
      json.member("owned_by", "vdsq")
    }
  }
}
