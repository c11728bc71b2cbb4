/// A fault in the file operations of replicas (Chaos Mesh 2.8: `IOChaosSpec`), every field of it.
public struct IOChaosSpec: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        case latency, fault, attrOverride, mistake
    }

    public enum Filling: String, Sendable, CaseIterable {
        case zero, random
    }

    /// Wrong bytes in what is read or written.
    public struct Mistake: Sendable, Equatable {
        public let filling: Filling?
        /// Bytes of one wrong place, at most.
        public let maxLength: Int?
        /// Wrong places, at most.
        public let maxOccurrences: Int?
    }

    public struct Time: Sendable, Equatable {
        public let sec: Int
        public let nsec: Int
    }

    /// What the files seem to be.
    public struct Attributes: Sendable, Equatable {
        /// `perm`, `size`, `uid`, ... as far as they are given; whole numbers from 0.
        public let numbers: [String: Int]
        /// `atime`, `ctime`, `mtime`.
        public let times: [String: Time]
        /// `regularFile`, `directory`, ...
        public let kind: String?
    }

    public let action: Action
    public let source: ReplicaSelection
    /// Where the volume is mounted.
    public let volumePath: String
    /// A pattern of the files; nil for all.
    public let path: String?
    /// `read`, `write`, ...; empty for all.
    public let methods: [String]
    /// Of the operations, 0 to 100.
    public let percent: Int
    /// For latency.
    public let delay: Duration?
    /// For fault: the number of the error that the operation ends with, such as 5 (EIO).
    public let errno: Int?
    public let attributes: Attributes?
    public let mistake: Mistake?
    public let containerNames: [String]
    public let remoteCluster: String?
    public let duration: Duration?
}
