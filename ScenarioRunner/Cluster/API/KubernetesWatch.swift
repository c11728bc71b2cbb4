import Foundation
import HTTPTypes
import Shared

/// What a watch tells.
enum WatchEvent<Object: KubernetesObject>: Sendable {
    /// It is there, as it is now: added or modified.
    case present(Object)
    /// It is gone; this is how it was.
    case gone(Object)
    /// Nothing has changed, up to here.
    case bookmark
}

extension KubernetesAPI {
    /// One event's JSON: objects of the kind, a `Status` for an error, hardly anything for a bookmark.
    private struct Line<Object: KubernetesObject>: Decodable {
        let event: WatchEvent<Object>?
        let resourceVersion: String?
        let error: KubernetesStatus?

        enum CodingKeys: String, CodingKey { case type, object }
        struct Version: Decodable {
            struct Metadata: Decodable { let resourceVersion: String? }
            let metadata: Metadata
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let type = try container.decode(String.self, forKey: .type)
            guard type != "ERROR" else {
                (event, resourceVersion) = (nil, nil)
                error = try container.decode(KubernetesStatus.self, forKey: .object)
                return
            }
            error = nil
            resourceVersion = try container.decode(Version.self, forKey: .object).metadata.resourceVersion
            switch type {
            case "ADDED", "MODIFIED": event = .present(try container.decode(Object.self, forKey: .object))
            case "DELETED": event = .gone(try container.decode(Object.self, forKey: .object))
            case "BOOKMARK": event = .bookmark
            // A kind of event that is not known is none of ours.
            default: event = nil
            }
        }
    }

    /// The server is asked to end a watch after that long.
    private static let watchSeconds = 290
    /// An object has at most 1.5 MiB (etcd's limit).
    private static let maximumLineBytes = 4 * 1024 * 1024
    private static let maximumErrorBytes = 64 * 1024

    /// Watches objects of a kind from a moment on, over one connection.
    ///
    /// - Parameters:
    ///   - resourceVersion: of the moment; is moved on with every event.
    ///   - name: of the one object to be watched; nil for all.
    ///   - silence: after which it counts as broken; nil for ``ClusterTiming/watchSilence``.
    ///   - handle: is told event by event, and returns whether to go on.
    /// - Returns: when the server has ended the watch in order, or `handle` did not want more.
    /// - Throws: ``ClusterError``: `gone` when the moment is too old: list anew; `timedOut` when it was silent for too
    ///   long; what `handle` throws; `CancellationError`.
    func watch<Object: KubernetesObject>(
        _ resource: KubernetesResource, from resourceVersion: inout String, name: String? = nil,
        silence: Duration? = nil, as type: Object.Type,
        _ handle: (WatchEvent<Object>) async throws -> Bool
    ) async throws {
        let question = watchQuestion(resource, from: resourceVersion, name: name)
        var request = try await request(question)
        request.timeout = .seconds(Self.watchSeconds + 30)
        let silence = min(silence ?? timing.watchSilence, timing.watchSilence)
        do {
            try await http.withStream(request, silence: silence) { stream in
                try await check(stream, question.call)
                var lines = LineSplitter(limit: Self.maximumLineBytes)
                for try await piece in stream {
                    for line in try lines.append(piece) {
                        guard let event: Line<Object> = try? JSONDecoder().decode(Line.self, from: line) else {
                            throw question.call.brokenAnswer("an event that cannot be read")
                        }
                        if let status = event.error { throw question.call.error(status) }
                        if let newer = event.resourceVersion { resourceVersion = newer }
                        if let event = event.event, try await !handle(event) { return }
                    }
                }
            }
        } catch let error as HTTPClientError {
            throw question.call.error(error, server: access.server, timeout: silence)
        } catch is LineSplitter.LineTooLong {
            throw question.call.brokenAnswer("an event of more than \(Self.maximumLineBytes) bytes")
        }
    }

    private func watchQuestion(_ resource: KubernetesResource, from version: String, name: String?) -> Question {
        var query = [
            ("watch", "1"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", String(Self.watchSeconds)),
            ("resourceVersion", version),
        ]
        if let name { query.append(("fieldSelector", "metadata.name=\(name)")) }
        return Question(
            path: resource.path(namespace: access.namespace), query: query,
            call: KubernetesCall(verb: "watch", resource: resource.name, namespace: access.namespace))
    }

    /// - Throws: what an answer that is none of success means.
    private func check(_ stream: HTTPClientStream, _ call: KubernetesCall) async throws {
        guard !(200..<300).contains(stream.status) else { return }
        if stream.status == 401 { _ = await credentialsRefused() }
        var body = Data()
        for try await piece in stream {
            body.append(piece)
            if body.count > Self.maximumErrorBytes { break }
        }
        throw call.error(code: stream.status, body: body, headers: stream.headers)
    }
}
