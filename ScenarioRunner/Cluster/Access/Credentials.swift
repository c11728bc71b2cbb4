import Foundation
import Shared

/// Who we are now: tokens change, and plugins are asked anew before what they said runs out.
actor Credentials {
    struct Current: Sendable {
        /// The `Authorization` field; nil for none.
        let authorization: String?
        let identity: HTTPClientTLS.Identity?
    }

    private let login: Login
    private let identity: HTTPClientTLS.Identity?
    private let now: @Sendable () -> UnixTime
    private var answer: ExecPlugin.Answer?
    private var asking: Task<ExecPlugin.Answer, any Error>?

    /// A plugin's answer is not used in its last moments: a request takes time.
    private static let spareSeconds = 10

    init(_ access: ClusterAccess, now: @escaping @Sendable () -> UnixTime = { .now }) {
        login = access.login
        identity = access.tls.identity
        self.now = now
    }

    /// - Throws: ``ClusterError``, or `CancellationError`.
    func current() async throws -> Current {
        switch login {
        case .nobody: return Current(authorization: nil, identity: identity)
        case .token(let token): return Current(authorization: "Bearer \(token)", identity: identity)
        case .tokenFile(let path, let read):
            guard let token = read(path)?.trimmingCharacters(in: .whitespacesAndNewlines), !token.isEmpty else {
                throw ClusterError(.unauthorized, "the token's file \(path) cannot be read, or is empty")
            }
            return Current(authorization: "Bearer \(token)", identity: identity)
        case .password(let user, let password):
            let pair = Data("\(user):\(password)".utf8).base64EncodedString()
            return Current(authorization: "Basic \(pair)", identity: identity)
        case .plugin(let plugin):
            let answer = try await self.answer(of: plugin)
            return Current(
                authorization: answer.token.map { "Bearer \($0)" }, identity: answer.identity ?? identity)
        }
    }

    /// The server does not know us any more. Returns whether another answer may be had by asking again.
    func refused() -> Bool {
        switch login {
        case .plugin:
            answer = nil
            return true
        // It is read for every request, so it may have just been replaced.
        case .tokenFile: return true
        case .nobody, .token, .password: return false
        }
    }

    /// One program at a time, whoever asks.
    private func answer(of plugin: ExecPlugin) async throws -> ExecPlugin.Answer {
        if let answer, answer.expires.map({ now().advanced(bySeconds: Self.spareSeconds) < $0 }) ?? true {
            return answer
        }
        let asking = self.asking ?? Task { try await plugin.ask() }
        self.asking = asking
        defer { self.asking = nil }
        let answer = try await asking.value
        self.answer = answer
        return answer
    }
}
