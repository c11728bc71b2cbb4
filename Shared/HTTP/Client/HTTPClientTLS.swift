import CCurl
import Foundation

/// How one request over `https` knows the server, and how the server knows us. Connections are shared only by requests
/// that have all of it in common.
public struct HTTPClientTLS: Sendable, Equatable {
    /// Certificates or a key in PEM. A file is read anew for each connection, so that it may be changed.
    public enum PEM: Sendable, Equatable {
        case file(String)
        case data(Data)
    }

    /// A client certificate, with those that lead from it to an authority, and its key.
    public struct Identity: Sendable, Equatable {
        public var certificate: PEM
        public var key: PEM

        public init(certificate: PEM, key: PEM) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// Whose signature a server's certificate must bear; nil for those that the system trusts.
    public var authorities: PEM?
    public var identity: Identity?
    /// False trusts anybody who answers: for a test cluster whose certificates are wrong, and only when a person asks.
    public var verifiesServer = true

    public init(authorities: PEM? = nil, identity: Identity? = nil, verifiesServer: Bool = true) {
        self.authorities = authorities
        self.identity = identity
        self.verifiesServer = verifiesServer
    }
}

/// A key must not get into a log by being printed with what holds it.
extension HTTPClientTLS.PEM: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .file(let path): "file \(path)"
        case .data(let data): "\(data.count) bytes"
        }
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension EasyHandle {
    /// Puts `tls` into the handle for the request that comes next.
    func setTLS(_ tls: HTTPClientTLS) {
        ccurl_easy_set_long(pointer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if let authorities = tls.authorities {
            // Beside these the system's would be trusted too: libcurl has a default for the folder.
            ccurl_easy_set_string(pointer, CURLOPT_CAPATH, nil)
            ccurl_easy_set_string(pointer, CURLOPT_CAINFO, nil)
            set(authorities, file: CURLOPT_CAINFO, blob: CURLOPT_CAINFO_BLOB)
            // A file is read for every connection: libcurl would go by what stood there for a day.
            ccurl_easy_set_ca_cache_timeout(pointer, 0)
        }
        if let identity = tls.identity {
            set(identity.certificate, file: CURLOPT_SSLCERT, blob: CURLOPT_SSLCERT_BLOB)
            set(identity.key, file: CURLOPT_SSLKEY, blob: CURLOPT_SSLKEY_BLOB)
        }
        if !tls.verifiesServer {
            ccurl_easy_set_long(pointer, CURLOPT_SSL_VERIFYPEER, 0)
            ccurl_easy_set_long(pointer, CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    private func set(_ pem: HTTPClientTLS.PEM, file: CURLoption, blob: CURLoption) {
        switch pem {
        case .file(let path): ccurl_easy_set_string(pointer, file, path)
        case .data(let data):
            data.withUnsafeBytes { bytes in
                _ = ccurl_easy_set_blob(pointer, blob, bytes.baseAddress, bytes.count)
            }
        }
    }
}
