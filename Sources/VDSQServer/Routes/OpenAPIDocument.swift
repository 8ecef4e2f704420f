/// The OpenAPI document of the server's routes (https://spec.openapis.org/oas/v3.1.0).
enum OpenAPIDocument {
  static var bytes: [UInt8] { Array(text.utf8) }

  static let text = #"""
    {
     "openapi": "3.1.0",
     "info": {
      "title": "vdsq",
      "description": "Embeddings, classification, reranking and few-shot learning on small machines.",
      "version": "0.1.0",
      "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
     },
     "security": [{}, {"key": []}],
     "paths": {
      "/": {
       "get": {
        "summary": "A page that classifies and teaches",
        "operationId": "page",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"text/html": {"schema": {"type": "string"}}}
         },
         "403": {"$ref": "#/components/responses/Failure403"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       }
      },
      "/health": {
       "get": {
        "summary": "Whether the server answers",
        "operationId": "health",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"text/plain": {"schema": {"type": "string"}}}
         },
         "403": {"$ref": "#/components/responses/Failure403"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       }
      },
      "/metrics": {
       "get": {
        "summary": "Metrics in the text format of Prometheus",
        "operationId": "metrics",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"text/plain": {"schema": {"type": "string"}}}
         },
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       }
      },
      "/info": {
       "get": {
        "summary": "The served models",
        "operationId": "info",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Info"}}}
         },
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       }
      },
      "/openapi.json": {
       "get": {
        "summary": "This document",
        "operationId": "openapi",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"type": "object"}}}
         },
         "403": {"$ref": "#/components/responses/Failure403"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       }
      },
      "/v1/models": {
       "get": {
        "summary": "The served models, as OpenAI lists them",
        "operationId": "models",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {
            "schema": {
             "type": "object",
             "properties": {
              "object": {"const": "list"},
              "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}
             },
             "required": ["object", "data"],
             "additionalProperties": false
            }
           }
          }
         },
         "401": {"$ref": "#/components/responses/OpenAIFailure401"},
         "403": {"$ref": "#/components/responses/OpenAIFailure403"},
         "405": {"$ref": "#/components/responses/OpenAIFailure405"},
         "503": {"$ref": "#/components/responses/OpenAIFailure503"}
        }
       }
      },
      "/v1/models/{id}": {
       "parameters": [
        {
         "name": "id",
         "in": "path",
         "required": true,
         "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"}
        }
       ],
       "get": {
        "summary": "A served model",
        "operationId": "model",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Model"}}}
         },
         "401": {"$ref": "#/components/responses/OpenAIFailure401"},
         "403": {"$ref": "#/components/responses/OpenAIFailure403"},
         "404": {"$ref": "#/components/responses/OpenAIFailure404"},
         "405": {"$ref": "#/components/responses/OpenAIFailure405"},
         "503": {"$ref": "#/components/responses/OpenAIFailure503"}
        }
       }
      },
      "/v1/embeddings": {
       "post": {
        "summary": "Embeddings, as OpenAI makes them",
        "operationId": "embeddings",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/EmbeddingsRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {"schema": {"$ref": "#/components/schemas/Embeddings"}}
          }
         },
         "400": {"$ref": "#/components/responses/OpenAIFailure400"},
         "401": {"$ref": "#/components/responses/OpenAIFailure401"},
         "403": {"$ref": "#/components/responses/OpenAIFailure403"},
         "404": {"$ref": "#/components/responses/OpenAIFailure404"},
         "405": {"$ref": "#/components/responses/OpenAIFailure405"},
         "408": {"$ref": "#/components/responses/OpenAIFailure408"},
         "413": {"$ref": "#/components/responses/OpenAIFailure413"},
         "415": {"$ref": "#/components/responses/OpenAIFailure415"},
         "422": {"$ref": "#/components/responses/OpenAIFailure422"},
         "424": {"$ref": "#/components/responses/OpenAIFailure424"},
         "429": {"$ref": "#/components/responses/OpenAIFailure429"},
         "500": {"$ref": "#/components/responses/OpenAIFailure500"},
         "503": {"$ref": "#/components/responses/OpenAIFailure503"},
         "507": {"$ref": "#/components/responses/OpenAIFailure507"}
        }
       }
      },
      "/v1/completions": {
       "post": {
        "summary": "Texts that continue prompts, as OpenAI makes them",
        "operationId": "completions",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/CompletionRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer; with `stream`, events of parts of texts, and then [DONE].",
          "content": {
           "application/json": {"schema": {"$ref": "#/components/schemas/Completion"}},
           "text/event-stream": {"schema": {"type": "string"}}
          }
         },
         "400": {"$ref": "#/components/responses/OpenAIFailure400"},
         "401": {"$ref": "#/components/responses/OpenAIFailure401"},
         "403": {"$ref": "#/components/responses/OpenAIFailure403"},
         "404": {"$ref": "#/components/responses/OpenAIFailure404"},
         "405": {"$ref": "#/components/responses/OpenAIFailure405"},
         "408": {"$ref": "#/components/responses/OpenAIFailure408"},
         "413": {"$ref": "#/components/responses/OpenAIFailure413"},
         "415": {"$ref": "#/components/responses/OpenAIFailure415"},
         "422": {"$ref": "#/components/responses/OpenAIFailure422"},
         "424": {"$ref": "#/components/responses/OpenAIFailure424"},
         "429": {"$ref": "#/components/responses/OpenAIFailure429"},
         "500": {"$ref": "#/components/responses/OpenAIFailure500"},
         "503": {"$ref": "#/components/responses/OpenAIFailure503"},
         "507": {"$ref": "#/components/responses/OpenAIFailure507"}
        }
       }
      },
      "/v1/chat/completions": {
       "post": {
        "summary": "Answers to chats, as OpenAI makes them",
        "operationId": "chatCompletions",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/ChatCompletionRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer; with `stream`, events of its parts, and then [DONE].",
          "content": {
           "application/json": {"schema": {"$ref": "#/components/schemas/ChatCompletion"}},
           "text/event-stream": {"schema": {"type": "string"}}
          }
         },
         "400": {"$ref": "#/components/responses/OpenAIFailure400"},
         "401": {"$ref": "#/components/responses/OpenAIFailure401"},
         "403": {"$ref": "#/components/responses/OpenAIFailure403"},
         "404": {"$ref": "#/components/responses/OpenAIFailure404"},
         "405": {"$ref": "#/components/responses/OpenAIFailure405"},
         "408": {"$ref": "#/components/responses/OpenAIFailure408"},
         "413": {"$ref": "#/components/responses/OpenAIFailure413"},
         "415": {"$ref": "#/components/responses/OpenAIFailure415"},
         "422": {"$ref": "#/components/responses/OpenAIFailure422"},
         "424": {"$ref": "#/components/responses/OpenAIFailure424"},
         "429": {"$ref": "#/components/responses/OpenAIFailure429"},
         "500": {"$ref": "#/components/responses/OpenAIFailure500"},
         "503": {"$ref": "#/components/responses/OpenAIFailure503"},
         "507": {"$ref": "#/components/responses/OpenAIFailure507"}
        }
       }
      },
      "/embed": {
       "post": {
        "summary": "Embeddings, as Text Embeddings Inference makes them",
        "operationId": "embed",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/EmbedRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {
            "schema": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
           }
          }
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/predict": {
       "post": {
        "summary": "Labels of the model's own head",
        "operationId": "predict",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/PredictRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {
            "schema": {
             "anyOf": [
              {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}},
              {
               "type": "array",
               "items": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}
              }
             ]
            }
           }
          }
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/rerank": {
       "post": {
        "summary": "Ranks texts for a query by a cross-encoder",
        "operationId": "rerank",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/RerankRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ranks"}}}
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/v1/rerank": {
       "post": {
        "summary": "The same as /rerank",
        "operationId": "rerank_v1",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/RerankRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ranks"}}}
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/similarity": {
       "post": {
        "summary": "Cosines of sentences to a sentence",
        "operationId": "similarity",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/SimilarityRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {"schema": {"type": "array", "items": {"type": "number"}}}
          }
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/tokenize": {
       "post": {
        "summary": "Tokens of texts",
        "operationId": "tokenize",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/TokenizeRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {
            "schema": {
             "type": "array",
             "items": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}}
            }
           }
          }
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/classify": {
       "post": {
        "summary": "Labels of texts, by labels of the request, an adapter or the model's own head",
        "operationId": "classify",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/ClassifyRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {"schema": {"$ref": "#/components/schemas/Classification"}}
          }
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      },
      "/adapters": {
       "get": {
        "summary": "All adapters",
        "operationId": "adapters",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {
            "schema": {
             "type": "object",
             "properties": {
              "adapters": {"type": "array", "items": {"$ref": "#/components/schemas/Adapter"}}
             },
             "required": ["adapters"],
             "additionalProperties": false
            }
           }
          }
         },
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       }
      },
      "/adapters/{name}": {
       "parameters": [
        {
         "name": "name",
         "in": "path",
         "required": true,
         "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"}
        }
       ],
       "get": {
        "summary": "An adapter",
        "operationId": "get_adapter",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Adapter"}}}
         },
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "503": {"$ref": "#/components/responses/Failure503"}
        }
       },
       "put": {
        "summary": "Trains an adapter, and replaces one of that name",
        "operationId": "train",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/TrainRequest"}}
         }
        },
        "responses": {
         "201": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Trained"}}}
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       },
       "post": {
        "summary": "Teaches an example, takes the last one back, or forgets a label",
        "operationId": "teach",
        "requestBody": {
         "required": true,
         "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/TeachRequest"}}
         }
        },
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Taught"}}}
         },
         "400": {"$ref": "#/components/responses/Failure400"},
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "408": {"$ref": "#/components/responses/Failure408"},
         "413": {"$ref": "#/components/responses/Failure413"},
         "415": {"$ref": "#/components/responses/Failure415"},
         "422": {"$ref": "#/components/responses/Failure422"},
         "424": {"$ref": "#/components/responses/Failure424"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "500": {"$ref": "#/components/responses/Failure500"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       },
       "delete": {
        "summary": "Deletes an adapter",
        "operationId": "delete_adapter",
        "responses": {
         "200": {
          "description": "The answer.",
          "content": {
           "application/json": {
            "schema": {
             "type": "object",
             "properties": {"deleted": {"type": "string"}},
             "required": ["deleted"],
             "additionalProperties": false
            }
           }
          }
         },
         "401": {"$ref": "#/components/responses/Failure401"},
         "403": {"$ref": "#/components/responses/Failure403"},
         "404": {"$ref": "#/components/responses/Failure404"},
         "405": {"$ref": "#/components/responses/Failure405"},
         "429": {"$ref": "#/components/responses/Failure429"},
         "503": {"$ref": "#/components/responses/Failure503"},
         "507": {"$ref": "#/components/responses/Failure507"}
        }
       }
      }
     },
     "components": {
      "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
      "responses": {
       "Failure401": {
        "description": "A key is needed.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure403": {
        "description": "Not allowed.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure404": {
        "description": "There is no such model or adapter.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure405": {
        "description": "Another method is needed.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure503": {
        "description": "The server is stopping, or has too many connections.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
       },
       "Failure429": {
        "description": "Too many texts are waiting; see Retry-After.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
       },
       "Failure507": {
        "description": "There is no room in memory or on the disk.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "OpenAIFailure401": {
        "description": "A key is needed.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure403": {
        "description": "Not allowed.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure405": {
        "description": "Another method is needed.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure503": {
        "description": "The server is stopping, or has too many connections.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        },
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
       },
       "OpenAIFailure404": {
        "description": "There is no such model or adapter.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure400": {
        "description": "The body is no JSON object, or wrong for OpenAI's route.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure408": {
        "description": "The request did not arrive in time.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure413": {
        "description": "The body, the batch or a text is too long.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure415": {
        "description": "The body is not JSON.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure422": {
        "description": "A field is wrong, or not known.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure424": {
        "description": "No served model can do this.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure429": {
        "description": "Too many texts are waiting; see Retry-After.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        },
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
       },
       "OpenAIFailure500": {
        "description": "A fault of the server.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "OpenAIFailure507": {
        "description": "There is no room in memory or on the disk.",
        "content": {
         "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}
        }
       },
       "Failure400": {
        "description": "The body is no JSON object, or wrong for OpenAI's route.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure408": {
        "description": "The request did not arrive in time.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure413": {
        "description": "The body, the batch or a text is too long.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure415": {
        "description": "The body is not JSON.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure422": {
        "description": "A field is wrong, or not known.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure424": {
        "description": "No served model can do this.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       },
       "Failure500": {
        "description": "A fault of the server.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
       }
      },
      "schemas": {
       "Error": {
        "type": "object",
        "properties": {
         "error": {"type": "string"},
         "error_type": {
          "type": "string",
          "enum": ["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer"]
         }
        },
        "required": ["error", "error_type"],
        "additionalProperties": false
       },
       "OpenAIError": {
        "type": "object",
        "properties": {
         "error": {
          "type": "object",
          "properties": {
           "message": {"type": "string"},
           "type": {"type": "string"},
           "param": {"type": ["string", "null"]},
           "code": {"type": "string"}
          },
          "required": ["message", "type"],
          "additionalProperties": false
         }
        },
        "required": ["error"],
        "additionalProperties": false
       },
       "EmbeddingsRequest": {
        "type": "object",
        "properties": {
         "input": {
          "anyOf": [
           {"type": "string"},
           {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
           {
            "type": "array",
            "items": {
             "anyOf": [
              {"type": "string"},
              {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
             ]
            },
            "minItems": 1
           }
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "encoding_format": {
          "anyOf": [
           {"type": "string", "enum": ["float", "base64"], "default": "float"},
           {"type": "null"}
          ]
         },
         "dimensions": {
          "anyOf": [
           {
            "type": "integer",
            "minimum": 1,
            "description": "Keeps the first elements of vectors, and scales them to length 1."
           },
           {"type": "null"}
          ]
         },
         "user": {"type": ["string", "null"]},
         "prompt_name": {
          "type": ["string", "null"],
          "description": "The name of a prompt of the model."
         },
         "truncate": {
          "type": ["boolean", "null"],
          "default": false,
          "description": "Cuts texts that are too long at their end; otherwise refused."
         },
         "truncation_direction": {
          "anyOf": [
           {"type": "string", "enum": ["right", "Right"], "default": "right"},
           {"type": "null"}
          ]
         }
        },
        "required": ["input"],
        "additionalProperties": false
       },
       "CompletionRequest": {
        "type": "object",
        "properties": {
         "prompt": {
          "anyOf": [
           {"type": "string"},
           {"type": "array", "items": {"type": "string"}, "minItems": 1}
          ]
         },
         "max_tokens": {
          "anyOf": [{"type": "integer", "minimum": 1, "maximum": 16777216}, {"type": "null"}],
          "description": "16 by default."
         },
         \#(generationOptions)
        },
        "required": ["prompt"],
        "additionalProperties": false
       },
       "Completion": {
        "type": "object",
        "properties": {
         "id": {"type": "string"},
         "object": {"const": "text_completion"},
         "created": {"type": "integer", "minimum": 0},
         "model": {"type": "string"},
         "choices": {
          "type": "array",
          "items": {
           "type": "object",
           "properties": {
            "index": {"type": "integer", "minimum": 0},
            "text": {"type": "string"},
            "logprobs": {"type": "null"},
            "finish_reason": {"type": "string", "enum": ["stop", "length"]}
           },
           "required": ["index", "text", "finish_reason"],
           "additionalProperties": false
          }
         },
         \#(generationUsage)
        },
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "additionalProperties": false
       },
       "ChatCompletionRequest": {
        "type": "object",
        "properties": {
         "messages": {
          "type": "array",
          "minItems": 1,
          "items": {
           "type": "object",
           "properties": {
            "role": {"type": "string", "enum": ["system", "developer", "user", "assistant"]},
            "content": {
             "anyOf": [
              {"type": "string"},
              {
               "type": "array",
               "items": {
                "type": "object",
                "properties": {
                 "type": {"type": "string", "enum": ["text"]},
                 "text": {"type": "string"}
                },
                "required": ["type", "text"],
                "additionalProperties": false
               }
              }
             ]
            }
           },
           "required": ["role", "content"],
           "additionalProperties": false
          },
          "description": "The last message is of the user."
         },
         "max_completion_tokens": {
          "anyOf": [{"type": "integer", "minimum": 1, "maximum": 16777216}, {"type": "null"}],
          "description": "As many as there is room for by default."
         },
         "response_format": {
          "anyOf": [
           {
            "type": "object",
            "properties": {
             "type": {"type": "string", "enum": ["text", "json_schema"]},
             "json_schema": {
              "anyOf": [
               {
                "type": "object",
                "properties": {
                 "name": {"type": ["string", "null"]},
                 "description": {"type": ["string", "null"]},
                 "schema": {"type": "object"},
                 "strict": {"type": ["boolean", "null"]}
                },
                "required": ["schema"],
                "additionalProperties": false
               },
               {"type": "null"}
              ]
             }
            },
            "required": ["type"],
            "additionalProperties": false
           },
           {"type": "null"}
          ]
         },
         "max_tokens": {
          "anyOf": [{"type": "integer", "minimum": 1, "maximum": 16777216}, {"type": "null"}],
          "description": "The old name of `max_completion_tokens`."
         },
         \#(generationOptions)
        },
        "required": ["messages"],
        "additionalProperties": false
       },
       "ChatCompletion": {
        "type": "object",
        "properties": {
         "id": {"type": "string"},
         "object": {"const": "chat.completion"},
         "created": {"type": "integer", "minimum": 0},
         "model": {"type": "string"},
         "choices": {
          "type": "array",
          "items": {
           "type": "object",
           "properties": {
            "index": {"type": "integer", "minimum": 0},
            "message": {
             "type": "object",
             "properties": {"role": {"const": "assistant"}, "content": {"type": "string"}},
             "required": ["role", "content"],
             "additionalProperties": false
            },
            "logprobs": {"type": "null"},
            "finish_reason": {"type": "string", "enum": ["stop", "length"]}
           },
           "required": ["index", "message", "finish_reason"],
           "additionalProperties": false
          }
         },
         \#(generationUsage)
        },
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "additionalProperties": false
       },
       "Embeddings": {
        "type": "object",
        "properties": {
         "object": {"const": "list"},
         "data": {
          "type": "array",
          "items": {
           "type": "object",
           "properties": {
            "object": {"const": "embedding"},
            "index": {"type": "integer", "minimum": 0},
            "embedding": {
             "anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]
            },
            "truncated": {"type": "boolean"}
           },
           "required": ["object", "index", "embedding"],
           "additionalProperties": false
          }
         },
         "model": {"type": "string"},
         "usage": {
          "type": "object",
          "properties": {
           "prompt_tokens": {"type": "integer", "minimum": 0},
           "total_tokens": {"type": "integer", "minimum": 0}
          },
          "required": ["prompt_tokens", "total_tokens"],
          "additionalProperties": false
         }
        },
        "required": ["object", "data", "model", "usage"],
        "additionalProperties": false
       },
       "Model": {
        "type": "object",
        "properties": {
         "id": {"type": "string"},
         "object": {"const": "model"},
         "created": {"type": "integer", "minimum": 0},
         "owned_by": {"type": "string"}
        },
        "required": ["id", "object", "created", "owned_by"],
        "additionalProperties": false
       },
       "EmbedRequest": {
        "type": "object",
        "properties": {
         "inputs": {
          "anyOf": [
           {"type": "string"},
           {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
           {
            "type": "array",
            "items": {
             "anyOf": [
              {"type": "string"},
              {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
             ]
            },
            "minItems": 1
           }
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "normalize": {"anyOf": [{"type": "boolean", "default": true}, {"type": "null"}]},
         "dimensions": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
         "prompt_name": {
          "type": ["string", "null"],
          "description": "The name of a prompt of the model."
         },
         "truncate": {
          "type": ["boolean", "null"],
          "default": false,
          "description": "Cuts texts that are too long at their end; otherwise refused."
         },
         "truncation_direction": {
          "anyOf": [
           {"type": "string", "enum": ["right", "Right"], "default": "right"},
           {"type": "null"}
          ]
         }
        },
        "required": ["inputs"],
        "additionalProperties": false
       },
       "PredictRequest": {
        "type": "object",
        "properties": {
         "inputs": {
          "anyOf": [
           {"type": "string"},
           {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
           {
            "type": "array",
            "minItems": 1,
            "items": {
             "type": "array",
             "items": {"type": "string"},
             "minItems": 1,
             "maxItems": 2
            }
           }
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "raw_scores": {
          "anyOf": [
           {"type": "boolean", "default": false, "description": "Answers with logits."},
           {"type": "null"}
          ]
         },
         "truncate": {
          "type": ["boolean", "null"],
          "default": false,
          "description": "Cuts texts that are too long at their end; otherwise refused."
         },
         "truncation_direction": {
          "anyOf": [
           {"type": "string", "enum": ["right", "Right"], "default": "right"},
           {"type": "null"}
          ]
         }
        },
        "required": ["inputs"],
        "additionalProperties": false
       },
       "Prediction": {
        "type": "object",
        "properties": {"score": {"type": "number"}, "label": {"type": "string"}},
        "required": ["score", "label"],
        "additionalProperties": false
       },
       "RerankRequest": {
        "type": "object",
        "properties": {
         "query": {"type": "string"},
         "texts": {
          "anyOf": [
           {"type": "array", "items": {"type": "string"}, "minItems": 1},
           {"type": "null"}
          ]
         },
         "documents": {
          "anyOf": [
           {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "The form of Cohere and Jina, instead of texts."
           },
           {"type": "null"}
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "raw_scores": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
         "return_text": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
         "return_documents": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
         "top_n": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
         "truncate": {
          "type": ["boolean", "null"],
          "default": false,
          "description": "Cuts texts that are too long at their end; otherwise refused."
         },
         "truncation_direction": {
          "anyOf": [
           {"type": "string", "enum": ["right", "Right"], "default": "right"},
           {"type": "null"}
          ]
         }
        },
        "required": ["query"],
        "additionalProperties": false
       },
       "Ranks": {
        "anyOf": [
         {
          "type": "array",
          "items": {
           "type": "object",
           "properties": {
            "index": {"type": "integer", "minimum": 0},
            "score": {"type": "number"},
            "text": {"type": "string"}
           },
           "required": ["index", "score"],
           "additionalProperties": false
          }
         },
         {
          "type": "object",
          "properties": {
           "model": {"type": "string"},
           "results": {
            "type": "array",
            "items": {
             "type": "object",
             "properties": {
              "index": {"type": "integer", "minimum": 0},
              "relevance_score": {"type": "number"},
              "document": {
               "type": "object",
               "properties": {"text": {"type": "string"}},
               "additionalProperties": false
              }
             },
             "required": ["index", "relevance_score"],
             "additionalProperties": false
            }
           },
           "usage": {
            "type": "object",
            "properties": {"total_tokens": {"type": "integer", "minimum": 0}},
            "additionalProperties": false
           }
          },
          "required": ["results"],
          "additionalProperties": false
         }
        ]
       },
       "SimilarityRequest": {
        "type": "object",
        "properties": {
         "inputs": {
          "type": "object",
          "properties": {
           "source_sentence": {"type": "string"},
           "sentences": {"type": "array", "items": {"type": "string"}, "minItems": 1}
          },
          "required": ["source_sentence", "sentences"],
          "additionalProperties": false
         },
         "parameters": {
          "anyOf": [
           {
            "anyOf": [
             {"type": "null"},
             {
              "type": "object",
              "properties": {
               "prompt_name": {
                "type": ["string", "null"],
                "description": "The name of a prompt of the model."
               },
               "truncate": {
                "type": ["boolean", "null"],
                "default": false,
                "description": "Cuts texts that are too long at their end; otherwise refused."
               },
               "truncation_direction": {
                "anyOf": [
                 {"type": "string", "enum": ["right", "Right"], "default": "right"},
                 {"type": "null"}
                ]
               }
              },
              "additionalProperties": false
             }
            ]
           },
           {"type": "null"}
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         }
        },
        "required": ["inputs"],
        "additionalProperties": false
       },
       "TokenizeRequest": {
        "type": "object",
        "properties": {
         "inputs": {
          "anyOf": [
           {"type": "string"},
           {"type": "array", "items": {"type": "string"}, "minItems": 1}
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "add_special_tokens": {
          "anyOf": [{"type": "boolean", "default": true}, {"type": "null"}]
         },
         "prompt_name": {
          "type": ["string", "null"],
          "description": "The name of a prompt of the model."
         }
        },
        "required": ["inputs"],
        "additionalProperties": false
       },
       "Token": {
        "type": "object",
        "properties": {
         "id": {"type": "integer", "minimum": 0},
         "text": {"type": "string"},
         "special": {"type": "boolean"},
         "start": {"type": ["integer", "null"]},
         "stop": {"type": ["integer", "null"]}
        },
        "required": ["id", "text", "special"],
        "additionalProperties": false
       },
       "Labels": {
        "anyOf": [
         {"type": "array", "items": {"type": "string"}},
         {
          "type": "object",
          "additionalProperties": {"type": "array", "items": {"type": "string"}}
         }
        ],
        "description": "Names, or names with words."
       },
       "ClassifyRequest": {
        "type": "object",
        "properties": {
         "inputs": {
          "anyOf": [
           {"type": "string"},
           {"type": "array", "items": {"type": "string"}, "minItems": 1}
          ]
         },
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "labels": {"anyOf": [{"$ref": "#/components/schemas/Labels"}, {"type": "null"}]},
         "adapter": {"type": ["string", "null"]},
         "template": {"type": ["string", "null"]},
         "temperature": {"type": ["number", "null"], "exclusiveMinimum": 0},
         "out_of_scope": {"type": ["string", "null"]},
         "top": {"anyOf": [{"type": "integer", "minimum": 1, "default": 1}, {"type": "null"}]},
         "abstain": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
         "explain": {"anyOf": [{"type": "boolean", "default": false}, {"type": "null"}]},
         "nli": {
          "anyOf": [
           {
            "type": "boolean",
            "default": false,
            "description": "Takes labels as hypotheses, for a model of natural language inference."
           },
           {"type": "null"}
          ]
         },
         "multi_label": {"anyOf": [{"type": "boolean", "default": false}, {"type": "null"}]},
         "truncate": {"type": ["boolean", "null"], "default": true},
         "truncation_direction": {
          "anyOf": [{"type": "string", "enum": ["right", "Right"]}, {"type": "null"}]
         }
        },
        "required": ["inputs"],
        "additionalProperties": false
       },
       "Candidate": {
        "type": "object",
        "properties": {"label": {"type": "string"}, "probability": {"type": "number"}},
        "required": ["label", "probability"],
        "additionalProperties": false
       },
       "Word": {
        "type": "object",
        "properties": {"token": {"type": "string"}, "cosine": {"type": "number"}},
        "required": ["token", "cosine"],
        "additionalProperties": false
       },
       "Explanation": {
        "type": "object",
        "properties": {
         "text": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
         "label": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
         "shared": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
         "examples": {
          "type": "object",
          "properties": {
           "toward_label": {"type": "string"},
           "away_label": {"type": "string"},
           "toward": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
           "away": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}}
          },
          "additionalProperties": false
         },
         "by_words": {"type": "array", "items": {"$ref": "#/components/schemas/Candidate"}}
        },
        "additionalProperties": false
       },
       "Classification": {
        "type": "object",
        "properties": {
         "model": {"type": "string"},
         "adapter": {"type": "string"},
         "results": {
          "type": "array",
          "items": {
           "type": "object",
           "properties": {
            "label": {"type": ["string", "null"]},
            "probability": {"type": "number"},
            "abstained": {"type": "boolean"},
            "labels": {
             "type": "array",
             "items": {"type": "string"},
             "description": "All labels of the text, by an adapter that gives any number."
            },
            "candidates": {"type": "array", "items": {"$ref": "#/components/schemas/Candidate"}},
            "tokens": {"type": "integer", "minimum": 0},
            "truncated": {"type": "boolean"},
            "explanation": {"$ref": "#/components/schemas/Explanation"}
           },
           "required": ["label", "probability", "abstained", "tokens", "truncated"],
           "additionalProperties": false
          }
         },
         "milliseconds": {"type": "number"}
        },
        "required": ["model", "results", "milliseconds"],
        "additionalProperties": false
       },
       "Adapter": {
        "type": "object",
        "properties": {
         "name": {"type": "string"},
         "model": {"type": "string"},
         "labels": {"type": "array", "items": {"type": "string"}},
         "out_of_scope": {"type": ["string", "null"]},
         "multi_label": {"type": "boolean"},
         "changeable": {"type": "boolean", "description": "Whether requests may change it."}
        },
        "required": ["name", "model", "labels"],
        "additionalProperties": false
       },
       "Example": {
        "type": "object",
        "properties": {
         "text": {"type": "string", "minLength": 1},
         "label": {"type": "string", "minLength": 1}
        },
        "required": ["text", "label"],
        "additionalProperties": false
       },
       "TrainRequest": {
        "type": "object",
        "properties": {
         "examples": {
          "anyOf": [
           {"type": "array", "items": {"$ref": "#/components/schemas/Example"}},
           {"type": "null"}
          ]
         },
         "labels": {"anyOf": [{"$ref": "#/components/schemas/Labels"}, {"type": "null"}]},
         "model": {
          "type": ["string", "null"],
          "description": "A model's name; the first model that can do this by default."
         },
         "method": {
          "anyOf": [
           {
            "type": "string",
            "enum": ["online", "frozen", "prior", "knn", "calibration", "low-rank"],
            "description": "frozen by default; online without examples."
           },
           {"type": "null"}
          ]
         },
         "template": {"type": ["string", "null"]},
         "out_of_scope": {"type": ["string", "null"]}
        },
        "additionalProperties": false
       },
       "Trained": {
        "type": "object",
        "properties": {
         "name": {"type": "string"},
         "model": {"type": "string"},
         "labels": {"type": "array", "items": {"type": "string"}},
         "examples": {"type": "integer", "minimum": 0}
        },
        "required": ["name", "model", "labels", "examples"],
        "additionalProperties": false
       },
       "TeachRequest": {
        "anyOf": [
         {
          "type": "object",
          "properties": {
           "text": {"type": "string", "minLength": 1},
           "label": {"type": "string", "minLength": 1},
           "add_label": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}
          },
          "required": ["text", "label"],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {"undo": {"const": true}},
          "required": ["undo"],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {"forget": {"type": "string"}},
          "required": ["forget"],
          "additionalProperties": false
         }
        ]
       },
       "Taught": {
        "type": "object",
        "properties": {
         "adapter": {"type": "string"},
         "label": {"type": "string"},
         "predicted": {"type": "string"},
         "probability": {"type": "number"},
         "undone": {"type": "string"},
         "forgotten": {"type": "string"},
         "examples": {"type": "integer", "minimum": 0},
         "labels": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["adapter", "examples", "labels"],
        "additionalProperties": false
       },
       "Info": {
        "type": "object",
        "required": [
         "model_id",
         "model_dtype",
         "model_type",
         "max_input_length",
         "version",
         "models"
        ],
        "properties": {
         "model_id": {"type": "string"},
         "model_dtype": {"type": "string"},
         "model_type": {"type": "object"},
         "max_input_length": {"type": "integer", "minimum": 0},
         "max_client_batch_size": {"type": "integer", "minimum": 0},
         "auto_truncate": {"type": "boolean"},
         "version": {"type": "string"},
         "models": {"type": "array", "items": {"type": "object"}}
        }
       }
      }
     }
    }
    """#
}
