import Glibc

/// How this user makes namespaces on this host.
public enum NamespaceAccess: String, Sendable, Equatable, Codable {
    /// With CAP_SYS_ADMIN, directly.
    case root
    /// As an ordinary user, inside a user namespace in which they are root.
    case userNamespace

    /// The arguments of `unshare` up to the command: fresh network, PID and mount namespaces, whose first
    /// process dies with `unshare`.
    public var unshareArguments: [String] {
        (self == .userNamespace ? ["--user", "--map-root-user"] : [])
            + ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "--"]
    }
}

/// Whether the lab can have a network of its own on this host.
public enum NamespaceSupport: Sendable, Equatable {
    case available(NamespaceAccess)
    /// `reason` is the kernel's or the tool's own words; `remedy` what to change.
    case unavailable(reason: String, remedy: String)
}

/// Finds out by trying; nothing is left behind.
public enum NamespaceProbe {
    /// The kernel's switches that forbid user namespaces, and their values here (nil: no such switch).
    struct Switches: Sendable, Equatable {
        var unprivilegedUserNamespaces: String?
        var appArmorRestriction: String?
        var maxUserNamespaces: String?

        static func read() -> Switches {
            Switches(
                unprivilegedUserNamespaces: SystemFile.line("/proc/sys/kernel/unprivileged_userns_clone"),
                appArmorRestriction: SystemFile.line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
                maxUserNamespaces: SystemFile.line("/proc/sys/user/max_user_namespaces"))
        }
    }

    /// Tries as root, where this process is, and then with a user namespace: root in a container often has
    /// no CAP_SYS_ADMIN but may still be allowed the latter.
    public static func examine() async -> NamespaceSupport {
        var lastError = "unshare was not tried"
        for access in geteuid() == 0 ? [NamespaceAccess.root, .userNamespace] : [.userNamespace] {
            do {
                try await CommandLineTool.run("unshare", access.unshareArguments + ["true"])
                return .available(access)
            } catch let error as ToolError {
                if let remedy = error.remedy { return .unavailable(reason: error.description, remedy: remedy) }
                lastError = error.standardError.isEmpty ? error.description : error.standardError
            } catch {
                return .unavailable(reason: "the examination was cancelled", remedy: "run it again")
            }
        }
        return .unavailable(reason: lastError, remedy: remedy(for: .read(), isRoot: geteuid() == 0))
    }

    /// The first switch that stands in the way; with none set, a container's filter is the usual cause.
    static func remedy(for switches: Switches, isRoot: Bool) -> String {
        if switches.unprivilegedUserNamespaces == "0" {
            return "sysctl -w kernel.unprivileged_userns_clone=1, or run as root"
        }
        if switches.maxUserNamespaces == "0" {
            return "sysctl -w user.max_user_namespaces=10000, or run as root"
        }
        if let restricted = switches.appArmorRestriction, restricted != "0" {
            return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root"
        }
        let container =
            "in a container, start it with --cap-add SYS_ADMIN --cap-add NET_ADMIN "
            + "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        return isRoot ? container : "run as root; \(container)"
    }
}
