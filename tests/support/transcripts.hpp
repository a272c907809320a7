// The transcripts of AT+QFOTADL that are known from the field and from the guides, byte for byte and not tidied: what
// modules sent, opening of the port by opening, and the command that was in flight. Data only. Where a source shows no
// control characters they are those of ATV1, <CR><LF>text<CR><LF>. Where it leaves out a part of a row of numbers, all
// of them stand here if it tells the step, else only those that it shows.
#pragma once

#include <string>
#include <vector>

namespace dfota::test {

struct Piece {
  std::string command;  ///< in flight when the bytes come; empty: none
  std::string bytes;
  bool port_lost = false;  ///< behind them read() gives 0, and the port is opened anew for the next piece
};

struct Transcript {
  std::string name;
  std::vector<Piece> pieces;
};

// clang-format off
inline const std::string kUpdating1To100 =
    "\r\n+QIND: \"FOTA\",\"UPDATING\",1\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",2\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",3\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",4\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",5\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",6\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",7\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",8\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",9\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",10\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",11\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",12\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",13\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",14\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",15\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",16\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",17\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",18\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",19\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",20\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",21\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",22\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",23\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",24\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",25\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",26\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",27\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",28\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",29\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",30\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",31\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",32\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",33\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",34\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",35\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",36\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",37\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",38\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",39\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",41\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",42\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",43\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",44\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",45\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",46\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",47\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",48\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",49\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",50\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",51\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",52\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",53\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",54\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",55\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",56\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",57\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",58\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",59\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",60\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",61\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",62\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",63\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",64\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",65\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",66\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",67\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",68\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",69\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",70\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",71\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",72\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",73\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",74\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",75\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",76\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",77\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",78\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",79\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",80\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",81\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",82\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",83\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",84\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",85\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",86\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",87\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",88\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",89\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",90\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",91\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",92\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",93\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",94\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",95\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",96\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",97\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",98\r\n"
    "\r\n+QIND: \"FOTA\",\"UPDATING\",99\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",100\r\n";

/// UMTS/HSPA Module Series DFOTA User Guide V1.0, chapter 3 (the blank line before RDY) and section 3.2 (the spaces in
/// the address, the reboot behind HTTPEND).
inline const Transcript kT1Uc20 = {"T1 UC20", {
    {"AT+QFOTADL=\" HTTP://www.example.com:80/delta.bin \"",
     "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n", true},
    {"", "\r\n+QIND: \"FOTA\",\"START\"\r\n" + kUpdating1To100 +
         "\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\n\r\nRDY\r\n"}}};

/// The log of an EG18-EA that was updated over HTTPS: 1 minute of download (40 MB), 8 of flashing, 30 s to boot.
inline const Transcript kT2Eg18Https = {"T2 EG18 over HTTPS", {
    {"AT+QFOTADL=\"https://...\"",
     "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPSEND\",0\r\n"
     "\r\n+QIND: \"FOTA\",\"START\"\r\n" + kUpdating1To100 + "\r\n+QIND: \"FOTA\",\"END\",0\r\n"
     "\r\nRDY\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+CFUN: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"}}};

/// The log of an EG18-EA that was updated from a file of its own; picocom lost the port right after OK, and again after
/// END. Its listing named the package UFS:DFOATUpgrade.zip.
inline const Transcript kT2Eg18File = {"T2 EG18 from its file system", {
    {"AT+QFOTADL=\"/cache/ufs/DFOATUpgrade.zip\"", "\r\nOK\r\n", true},
    {"", "\r\n+QIND: \"FOTA\",\"START\"\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",0\r\n" + kUpdating1To100 +
         "\r\n+QIND: \"FOTA\",\"END\",0\r\n", true},
    {"", ""}}};

/// forums.quectel.com/t/bg96-dfota-error-702-for-at-qfotadl/7377, with its control characters: echo with CR CR LF,
/// answers without CR LF before them. HTTPEND came 6 minutes after the command.
inline const Transcript kT3Bg96 = {"T3 BG96 failing", {
    {"AT+QGMR", "AT+QGMR\r\r\nBG96MAR02A07M1G_01.007.01.007\r\n\r\nOK\r\n"},
    {"AT+CSQ?", "AT+CSQ?\r\r\n+CME ERROR: 3\r\n"},
    {"AT+CSQ", "AT+CSQ\r\r\n+CSQ: 16,99\r\n\r\nOK\r\n"},
    {"AT+QFOTADL=\"https://...\"", "AT+QFOTADL=\"https://...\"\r\r\nOK\r\n"},
    {"", "\r\n+QIND: \"FOTA\",\"HTTPEND\",702\r\n"}}};

/// forums.quectel.com/t/ec200u-fota-failure/25935, once its fota/path was right.
inline const Transcript kT4Ec200u = {"T4 EC200U", {
    {"AT+QICSGP=2,1,\"airtelgprs.com\",\"\",\"\",1", "\r\nOK\r\n"},
    {"AT+QCFG=\"fota/cid\",2", "\r\nOK\r\n"},
    {"AT+QFOTADL=\"https://...pack\",1,50,100",
     "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",2\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",4\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",6\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",8\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",10\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",12\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",14\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",16\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",18\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",20\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",22\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",24\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",26\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",28\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",30\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",32\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",34\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",36\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",38\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",40\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",42\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",44\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",46\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",48\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",50\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",52\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",54\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",56\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",58\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",60\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",62\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",64\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",66\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",68\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",70\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",72\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",74\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",76\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",78\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",80\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",82\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",84\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",86\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",88\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",90\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",92\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",94\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",96\r\n"
     "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",98\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",100\r\n"
     "\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n", true},
    {"", ""}}};

/// The same thread: HTTPEND at once, and no connection was ever opened (fota/path without its colon).
inline const Transcript kT5Ec200u608 = {"T5 EC200U, 608 at once", {
    {"AT+QFOTADL=\"https://...pack\",1,50,100",
     "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",608\r\n"}}};

/// A tool for EC800K: nothing of the download, which took 26 s, and three reboots.
inline const Transcript kT6Ec800k = {"T6 EC800K", {
    {"AT+QFOTADL=\"http://...\",1,50", "\r\nOK\r\n", true},
    {"",
     "\r\n+QIND: \"FOTA\",\"UPDATING\",7\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",8\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",9\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",10\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",11\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",12\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",13\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",14\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",15\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",16\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",17\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",18\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",19\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",20\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",21\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",22\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",23\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",24\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",25\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",26\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",27\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",28\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",29\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",30\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",31\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",32\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",33\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",34\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",35\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",36\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",37\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",38\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",39\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",41\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",42\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",43\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",44\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",45\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",46\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",47\r\n", true},
    {"",
     "\r\n+QIND: \"FOTA\",\"UPDATING\",60\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",61\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",62\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",63\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",64\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",65\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",66\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",67\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",68\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",69\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",70\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",71\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",72\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",73\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",74\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",75\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",76\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",77\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",78\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",79\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",80\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",81\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",82\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",83\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",84\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",85\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",86\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",87\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",88\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",89\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",90\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",91\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",92\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",93\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",94\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",95\r\n"
     "\r\n+QIND: \"FOTA\",\"UPDATING\",96\r\n"
     "\r\n+QIND: \"FOTA\",\"END\",0\r\n", true},
    {"", ""}}};

/// Air780E, after its own download: its boot ROM first, then steps of no rule. The source stops at 13.
inline const Transcript kT7Air780e = {"T7 Air780E", {
    {"", "^boot.rom'v'!\n\r\n+QIND: \"FOTA\",\"START\"\r\n"
         "\r\n+QIND: \"FOTA\",\"UPDATING\",0\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",2\r\n"
         "\r\n+QIND: \"FOTA\",\"UPDATING\",4\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",6\r\n"
         "\r\n+QIND: \"FOTA\",\"UPDATING\",9\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",13\r\n"}}};

/// As T2 from a file: "FATAL: read zero bytes from port", and the name was no terminal any more ("Not a tty").
inline const Transcript kT8HangUp = {"T8 EG18 hangs up behind OK", {
    {"AT+QFOTADL=\"/cache/ufs/DFOATUpgrade.zip\"", "\r\nOK\r\n", true}}};

/// NR7101 (RG502Q-EA under OpenWrt): gone, back "in upgrade mode", gone, back with the new firmware; nothing was noted.
inline const Transcript kT9Nr7101 = {"T9 NR7101", {
    {"at+qfotadl=\"http://..../RG502QEAAAR01A04-R11A03.zip\"",
     "at+qfotadl=\"http://..../RG502QEAAAR01A04-R11A03.zip\"\r\r\nOK\r\n", true},
    {"", "", true},
    {"", ""}}};

/// The EG18 log of T2.
inline const Transcript kBootEg18 = {"boot of EG18", {
    {"", "\r\nRDY\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+CFUN: 1\r\n\r\n+QIND: SMS DONE\r\n"
         "\r\n+QIND: PB DONE\r\n"}}};

/// EG800Q AT manual: no RDY, and PB before SMS.
inline const Transcript kBootEg800q = {"boot of EG800Q", {
    {"", "\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: PB DONE\r\n\r\n+QIND: SMS DONE\r\n"}}};

/// BG96 and its like.
inline const Transcript kBootBg96 = {"boot of BG96", {{"", "\r\nRDY\r\n\r\nAPP RDY\r\n"}}};

/// EG800Q AT manual: READY only after AT+CPIN.
inline const Transcript kBootSimPin = {"boot with a SIM PIN", {
    {"", "\r\n+CPIN: SIM PIN\r\n"}, {"AT+CPIN=\"1234\"", "\r\nOK\r\n\r\n+CPIN: READY\r\n"}}};

/// A lab's acceptance harness counts PB DONE, because it comes twice at times.
inline const Transcript kBootPbTwice = {"boot with PB DONE twice", {
    {"", "\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n\r\n+QIND: PB DONE\r\n"}}};

/// The guide; the number of any manual; after AT+CMEE=2; and the EG800Q AT manual's own text with its stray space.
inline const Transcript kFailureTexts = {"failure texts", {
    {"AT+QFOTADL=\"http://...\"", "\r\nERROR\r\n"},
    {"AT+QFOTADL=\"http://...\"", "\r\n+CME ERROR: 50\r\n"},
    {"AT+QFOTADL=\"http://...\"", "\r\n+CME ERROR: SIM not inserted\r\n"},
    {"AT+QFOTADL=\"http://...\"", "\r\n+CME ERROR: 1 3\r\n"}}};

/// BG96 DFOTA User Guide V1.0 (the first two), the comments of an Arduino driver, and a clone.
inline const Transcript kPercentSigns = {"percent signs", {
    {"", "\r\n+QIND: \"FOTA\",\"Last upgrade was not finished,continue upgrade\"\r\n"
         "\r\n+QIND: \"FOTA\",\"RESTORE\",1%\r\n\r\n+QIND: \"FOTA\",\"UPDATING\", 1%\r\n"
         "\r\n+QIND: \"FOTA\",\"DOWNLOADING\", 37%\r\n"}}};

/// AT+QPOWD=1 of the Quectel modules, and the word of SIMCom's that some of the older print, too.
inline const Transcript kPowerDown = {"power down", {
    {"AT+QPOWD=1", "\r\nOK\r\n\r\nPOWERED DOWN\r\n"},
    {"", "\r\nNORMAL POWER DOWN\r\n"}}};

/// LTE Standard(A) Series DFOTA Upgrade Guide V1.5: the package over the AT port, at most 50 DOWNLOADING (25 is half of
/// it); UPDATING as in its figure, "8, 16 .. 50, 58 .. 91", then END.
inline const Transcript kLteStandardAFile = {"LTE Standard(A), FILE", {
    {"AT+QFOTADL=\"FILE:100\",1,50", "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"FILESTART\"\r\n"},
    {"", "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",25\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",50\r\n"
         "\r\n+QIND: \"FOTA\",\"FILEEND\",0\r\n"},
    {"", "\r\n+QIND: \"FOTA\",\"UPDATING\",8\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",16\r\n"
         "\r\n+QIND: \"FOTA\",\"UPDATING\",50\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",58\r\n"
         "\r\n+QIND: \"FOTA\",\"UPDATING\",91\r\n\r\n+QIND: \"FOTA\",\"END\",0\r\n"}}};

/// The same guide's only failure of that part.
inline const Transcript kLteStandardAFileEnd500 = {"LTE Standard(A), FILEEND 500", {
    {"AT+QFOTADL=\"FILE:100\",1,50", "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"FILESTART\"\r\n"},
    {"", "\r\n+QIND: \"FOTA\",\"FILEEND\",500\r\n"}}};
// clang-format on

}  // namespace dfota::test
