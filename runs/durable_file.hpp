/// Files that are on the disk once they are written.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

namespace quartet {

/// Writes a new file and waits until it is on the disk. Throws std::runtime_error with the path
/// and, for a full disk, a remedy.
void write_file(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces);

/// Waits until a directory's list of files is on the disk.
void sync_directory(const std::filesystem::path& path);

/// Puts a file in the place of another one of the same directory, or of none (a directory: of
/// none), and waits until that is on the disk. Throws std::runtime_error: with the path of the
/// place where that keeps what it had, and with that of the directory where the name is given but
/// perhaps not on the disk.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Writes `text` beside `path` and puts it in its place: there is all of it or what was there
/// before, whatever happens. Throws as write_file does.
void replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace quartet
