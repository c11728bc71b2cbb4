import CCurl
import Glibc

extension Transfer {
    /// What libcurl's result means for the caller.
    func outcome(_ code: CURLcode) -> Result<RawResponse, any Error> {
        guard let easy else { preconditionFailure("the transfer was never started") }
        if code == CURLE_OK { return .success(response(from: easy)) }
        // With TLS, a connection that ends too early is no error of the system's.
        return .failure(failure ?? HTTPClientError(code, systemError: isPlain ? easy.systemError : Int(ECONNRESET)))
    }
}

extension HTTPClientError {
    /// What libcurl's `code`, which is none of success, means.
    init(_ code: CURLcode, systemError: Int) {
        self =
            switch code {
            case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED:
                .invalidURL
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
                // The time to connect: the total deadline is not libcurl's to keep.
                CURLE_OPERATION_TIMEDOUT:
                .connectFailed
            case CURLE_PEER_FAILED_VERIFICATION:
                .untrustedServer
            case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM:
                .unusableCertificate
            case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
                // The first is what libcurl calls an answer without a status line (HTTP/0.9).
                .malformedResponse
            case CURLE_RECV_ERROR where systemError == 0:
                // Not the network: the chunks of the body do not parse.
                .malformedResponse
            default:
                .connectionLost
            }
    }
}
