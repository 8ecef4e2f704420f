import Glibc
import Logging
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

extension InferenceEngine {
  /// The models and adapters of an engine. Only its thread uses them.
  final class State {
    private(set) var models: [ServedModel] = []
    private(set) var adapters: [ServedAdapter] = []
    let options: ServerOptions
    let published: PublishedCatalog
    private let metrics: ServerMetrics
    private let log: Logger

    init(
      _ options: ServerOptions, _ published: PublishedCatalog, _ metrics: ServerMetrics,
      _ log: Logger
    ) {
      (self.options, self.published, self.metrics, self.log) = (options, published, metrics, log)
    }

    /// Refuses what does not fit the memory budget any more.
    func room(for bytes: Int) throws(RequestError) {
      guard !options.hasRoom(for: bytes) else { return }
      throw RequestError(.memory, "this does not fit the memory budget of the server any more")
    }

    /// Opens all models and adapters.
    ///
    /// - Throws: the first fault.
    func open() throws(VDSQError) {
      try openModels()
      for source in options.adapters {
        do throws(RequestError) {
          try add(source.name, path: source.path, isChangeable: false)
        } catch {
          throw VDSQError(error.reason == .memory ? .budgetTooSmall : .badInput, error.message)
        }
      }
      for (name, path) in options.storedAdapters() {
        do throws(RequestError) {
          try add(name, path: path, isChangeable: true)
        } catch {
          // A file of a model that is no longer served must not keep the others from being served.
          log.warning(
            "an adapter is left out", metadata: ["file": "\(path)", "error": "\(error.message)"])
        }
      }
      publish()
    }

    private func openModels() throws(VDSQError) {
      var opened: [ServedModel] = []
      var planned = options.reserve
      for source in options.models {
        let model = try ServedModel(
          source.name, path: source.path, run: options.run, more: planned)
        opened.append(model)
        planned += Self.bytes(model)
      }
      models = opened
    }

    /// What a model takes beside the program: its layers and its arena.
    private static func bytes(_ model: ServedModel) -> Int {
      let container = model.base.encoder.container
      let layers = container.sections.reduce(0) { $0 + $1.rawLength }
      return layers + model.base.encoder.arena.length
    }

    func model(_ name: String) throws(RequestError) -> ServedModel {
      guard let model = models.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
        throw RequestError(.notFound, "\(name): no such model is served")
      }
      return model
    }

    func adapter(_ name: String) -> ServedAdapter? {
      adapters.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The adapter as its file is now. A file that cannot be used changes nothing.
    func currentAdapter(_ name: String) throws(RequestError) -> ServedAdapter {
      guard let adapter = adapter(name) else {
        throw RequestError(.notFound, "\(name): no such adapter", field: "adapter")
      }
      guard adapter.file.isDue() else { return adapter }
      do throws(RequestError) {
        guard adapter.file.isRegular else {
          throw RequestError(.invalid, "\(adapter.path): this is not a regular file")
        }
        var file = adapter.file
        file.succeeded()
        let next = try ServedAdapter(
          name, reading: adapter.path, path: adapter.path, model: adapter.model,
          isChangeable: adapter.isChangeable,
          file: file, room: { _ in })
        replace(next)
        metrics.reloaded(true)
        return next
      } catch {
        if adapter.file.failed() {
          metrics.reloaded(false)
          log.warning(
            "a changed adapter cannot be used; going on as before",
            metadata: ["adapter": "\(name)", "error": "\(error.message)"])
        }
        return adapter
      }
    }

    private func replace(_ adapter: ServedAdapter) {
      if let place = adapters.firstIndex(where: { $0.name.utf8.elementsEqual(adapter.name.utf8) }) {
        adapters[place] = adapter
      } else {
        adapters.append(adapter)
      }
      adapters.sort { $0.name < $1.name }
      adapter.model.close(except: adapters.map(\.classifier.lane))
      publish()
    }

    /// Reads an adapter's file, for the model that it was made for, and serves it from now on.
    ///
    /// - Parameter source: a file that gets the name `path` if it can be used; nil for `path`
    ///   itself.
    func add(
      _ name: String, from source: String? = nil, path: String, isChangeable: Bool
    ) throws(RequestError) {
      var fault: RequestError?
      for model in models {
        do throws(RequestError) {
          let adapter = try ServedAdapter(
            name, reading: source ?? path, path: path, model: model, isChangeable: isChangeable,
            file: FollowedFile(path: source ?? path),
            room: { (bytes) throws(RequestError) in try self.room(for: bytes) })
          if let source {
            guard rename(source, path) == 0 else {
              throw RequestError(.storage, "\(path): cannot be written: \(lastErrorText())")
            }
            adapter.file = FollowedFile(path: path)
          }
          return replace(adapter)
        } catch { fault = fault ?? error }
      }
      throw fault ?? RequestError(.notFound, "no model is served")
    }

    /// Serves an adapter no more.
    func remove(_ name: String) {
      guard let place = adapters.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
        return
      }
      let adapter = adapters.remove(at: place)
      adapter.model.close(except: adapters.map(\.classifier.lane))
      publish()
    }

    /// Reads models and adapters again. What cannot be used stays as it was.
    ///
    /// - Returns: whether everything could be read.
    func reload() -> Bool {
      let (oldModels, oldAdapters) = (models, adapters)
      do throws(VDSQError) {
        adapters = []
        try open()
        metrics.reloaded(true)
        return true
      } catch {
        (models, adapters) = (oldModels, oldAdapters)
        publish()
        metrics.reloaded(false)
        log.error("reload: going on as before", metadata: ["error": "\(error.message)"])
        return false
      }
    }

    func publish() {
      for model in models { metrics.prepare(model.description.labels, of: model.name) }
      for adapter in adapters {
        metrics.prepare(adapter.classifier.classifier.labels.names, of: adapter.name)
      }
      published.publish(
        Catalog(models: models.map(\.description), adapters: adapters.map(\.description)))
    }

    /// Releases memory that comes back when it is needed.
    func rest() {
      for model in models { model.rest() }
      ProcessMemory.trim()
    }
  }
}
