import Glibc

/// Whoever can write a plugin runs code in this process, so a file that others can change is not loaded.
struct OwnershipCheck {
    /// Who may own plugins beside root; the effective user.
    var user: uid_t = geteuid()

    /// Checks the file and its folder, and, behind a symbolic link, what it points to and that one's folder.
    /// - Returns: The real path, which is what gets loaded: a link that is changed later changes nothing.
    func check(folder: String, file: String) throws(PluginRefusal) -> String {
        let path = "\(folder)/\(file)"
        var link = stat()
        guard lstat(path, &link) == 0 else {
            throw PluginRefusal("cannot be looked at: \(String(cString: strerror(errno)))")
        }
        guard let real = PluginSearch.realPath(path) else {
            throw PluginRefusal("is a symbolic link that leads nowhere")
        }
        var status = stat()
        guard stat(real, &status) == 0 else {
            throw PluginRefusal("cannot be looked at: \(String(cString: strerror(errno)))")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw PluginRefusal("is a folder, not a shared library")
        default: throw PluginRefusal("is a device, pipe or socket, not a shared library")
        }
        try checkOwner(link.st_uid, of: path, what: "the file")
        try check(status, at: real, what: "the file")
        try checkFolder(folder)
        let place = real.prefix(upTo: real.lastIndex(of: "/") ?? real.startIndex)
        try checkFolder(place.isEmpty ? "/" : String(place))
        return real
    }

    private func checkFolder(_ folder: String) throws(PluginRefusal) {
        var status = stat()
        guard stat(folder, &status) == 0 else {
            throw PluginRefusal("its folder cannot be looked at: \(String(cString: strerror(errno)))")
        }
        try check(status, at: folder, what: "its folder")
    }

    private func check(_ status: stat, at path: String, what: String) throws(PluginRefusal) {
        if status.st_mode & S_IWOTH != 0 {
            throw PluginRefusal("\(what) \(path) can be written by everybody; mend it with: chmod o-w '\(path)'")
        }
        try checkOwner(status.st_uid, of: path, what: what)
    }

    private func checkOwner(_ owner: uid_t, of path: String, what: String) throws(PluginRefusal) {
        guard owner != 0, owner != user else { return }
        throw PluginRefusal(
            "\(what) \(path) belongs to user \(owner), neither to root nor to the user who runs feedhost (\(user)); "
                + "mend it with: chown \(user) '\(path)'")
    }
}
