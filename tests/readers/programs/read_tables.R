# Read tables in R: `Rscript read_tables.R ADDRESS TABLE...` prints types and rows as JSON.

suppressMessages({
  library(jsonlite)
  library(readr)
})
arguments <- commandArgs(trailingOnly = TRUE)
address <- arguments[1]
tables <- arguments[-1]

file_address <- function(name) paste0(address, "/v1/exports/", name, ".csv")
database <- tempfile(fileext = ".sqlite")
download.file(paste0(address, "/v1/exports/record.sqlite"), database, mode = "wb", quiet = TRUE)
connection <- DBI::dbConnect(RSQLite::SQLite(), database, extended_types = TRUE)

readers <- list(
  R = list(
    "CSV" = function(name) read.csv(file_address(name)),
    "CSV, `colClasses`, `na.strings`" = function(name)
      read.csv(file_address(name), colClasses = "character", na.strings = "")
  ),
  readr = list(
    "CSV" = function(name) read_csv(file_address(name), show_col_types = FALSE),
    "CSV, `col_types`" = function(name) read_csv(file_address(name), col_types = cols(.default = "c"))
  ),
  jsonlite = list(
    "NDJSON" = function(name)
      stream_in(url(paste0(address, "/v1/", name, "?format=ndjson")), verbose = FALSE)
  ),
  RSQLite = list("SQLite, `extended_types`" = function(name) DBI::dbReadTable(connection, name))
)
read_table <- function(read, name) {
  table <- suppressMessages(read(name))
  list(types = lapply(table, function(column) unbox(class(column)[1])), rows = table)
}
read_ways <- function(ways) lapply(ways, function(read)
  sapply(tables, function(name) read_table(read, name), simplify = FALSE))
version <- function(reader)
  as.character(if (reader == "R") getRversion() else packageVersion(reader))
found <- sapply(names(readers), function(reader)
  list(version = unbox(version(reader)), ways = read_ways(readers[[reader]])), simplify = FALSE)
cat(toJSON(found, dataframe = "rows", na = "null", null = "null"))
DBI::dbDisconnect(connection)
