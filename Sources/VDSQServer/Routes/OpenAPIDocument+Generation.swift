extension OpenAPIDocument {
  /// The members that requests for completions and for chats have in common.
  static let generationOptions = #"""
    "model": {
     "type": ["string", "null"],
     "description": "A model's name; the first model that can do this by default."
    },
    "temperature": {
     "anyOf": [
      {"type": "number", "minimum": 0, "maximum": 100, "default": 1}, {"type": "null"}
     ]
    },
    "top_p": {
     "anyOf": [
      {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1}, {"type": "null"}
     ]
    },
    "top_k": {
     "anyOf": [
      {"type": "integer", "minimum": 0, "maximum": 16777216, "default": 0}, {"type": "null"}
     ]
    },
    "min_p": {
     "anyOf": [
      {"type": "number", "minimum": 0, "maximum": 1, "default": 0}, {"type": "null"}
     ]
    },
    "repetition_penalty": {
     "anyOf": [
      {"type": "number", "exclusiveMinimum": 0, "maximum": 100, "default": 1},
      {"type": "null"}
     ]
    },
    "presence_penalty": {"anyOf": [{"type": "number", "enum": [0]}, {"type": "null"}]},
    "frequency_penalty": {"anyOf": [{"type": "number", "enum": [0]}, {"type": "null"}]},
    "n": {"anyOf": [{"type": "integer", "enum": [1]}, {"type": "null"}]},
    "stop": {
     "anyOf": [
      {"type": "string", "minLength": 1, "maxLength": 256},
      {
       "type": "array",
       "items": {"type": "string", "minLength": 1, "maxLength": 256},
       "maxItems": 16
      },
      {"type": "null"}
     ]
    },
    "seed": {
     "anyOf": [
      {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
      {"type": "null"}
     ]
    },
    "guided_choice": {
     "anyOf": [
      {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
      {"type": "null"}
     ],
     "description": "The text is one of these."
    },
    "guided_regex": {
     "type": ["string", "null"],
     "description": "A regular expression that the text matches as a whole."
    },
    "stream": {"type": ["boolean", "null"], "default": false},
    "stream_options": {
     "anyOf": [
      {
       "type": "object",
       "properties": {"include_usage": {"type": ["boolean", "null"]}},
       "additionalProperties": false
      },
      {"type": "null"}
     ]
    },
    "user": {"type": ["string", "null"]}
    """#

  /// The member of their answers that counts tokens.
  static let generationUsage = #"""
    "usage": {
     "type": "object",
     "properties": {
      "prompt_tokens": {"type": "integer", "minimum": 0},
      "completion_tokens": {"type": "integer", "minimum": 0},
      "total_tokens": {"type": "integer", "minimum": 0}
     },
     "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
     "additionalProperties": false
    }
    """#
}
