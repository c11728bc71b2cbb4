import CCurl

/// Where a request connects to, whatever its URL says, in the form that libcurl takes; freed with this object.
final class ConnectTo {
    let list: UnsafeMutablePointer<curl_slist>

    /// - Parameter place: `host:port`.
    init(_ place: String) {
        // Without a host and a port before it, it stands for every one.
        guard let list = curl_slist_append(nil, "::\(place)") else { preconditionFailure("out of memory") }
        self.list = list
    }

    deinit { curl_slist_free_all(list) }
}
