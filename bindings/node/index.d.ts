import type { EventEmitter } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { ParsedUrlQuery } from "node:querystring";
import type {
  AckValue,
  AllButLast,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  Last,
  ListenerOf,
} from "./events.js";

/** The name of a room. */
type Room = string;
/** The id of a socket; also the name of a room that only it is in. */
type SocketId = string;

/** Makes a server: `new Server(port, options)`. */
declare function io(port?: number | string, options?: Partial<io.ServerOptions>): io.Server;

declare namespace io {
  export { DefaultEventsMap };

  /** An event as it came: its name and arguments, with the acknowledgement at the end if one is wanted. */
  export type Event = [string, ...any[]];

  /** Why a socket is disconnected. */
  export type DisconnectReason =
    | "transport error"
    | "transport close"
    | "forced close"
    | "ping timeout"
    | "parse error"
    | "server shutting down"
    | "forced server close"
    | "client namespace disconnect"
    | "server namespace disconnect";

  /** An error whose `data` a client that is refused gets too. */
  export interface ExtendedError extends Error {
    data?: any;
  }

  /** Which pages of other origins may connect. */
  export interface CorsOptions {
    origin?: boolean | string | string[];
    methods?: string | string[];
    allowedHeaders?: string | string[];
    exposedHeaders?: string | string[];
    credentials?: boolean;
    maxAge?: number;
  }

  /** The options that are built. Others of the official server are refused by name. Times are in milliseconds. */
  export interface ServerOptions {
    /** Where the server answers. Default: "/socket.io". */
    path: string;
    /** How long a client may take to join a namespace. Default: 45,000. */
    connectTimeout: number;
    /** Between two pings. Default: 25,000. */
    pingInterval: number;
    /** How long the pong may take. Default: 20,000. */
    pingTimeout: number;
    /** How long an upgrade to WebSocket may take. Default: 10,000. */
    upgradeTimeout: number;
    /** Bytes that one message of a client may have. Default: 1,000,000. */
    maxHttpBufferSize: number;
    /** Bytes that may wait to be sent to one client, who is disconnected past that. Default: 16 MiB. */
    maxBufferedBytes: number;
    /** Default: both. */
    transports: ("polling" | "websocket")[];
    /** Whether a connection may go from polling to WebSocket. Default: true. */
    allowUpgrades: boolean;
    /** Default: no other origin. */
    cors: CorsOptions;
  }

  /** The request that a socket came from. */
  export interface Handshake {
    headers: IncomingHttpHeaders;
    /** When the request came, as `String(new Date())` writes it. */
    time: string;
    /** The IP address of the client. */
    address: string;
    /** Whether the request came from a page of another origin. */
    xdomain: boolean;
    /** Whether the request came over TLS. */
    secure: boolean;
    /** When the request came, in milliseconds since 1970. */
    issued: number;
    /** Path and query. */
    url: string;
    query: ParsedUrlQuery;
    /** What the client sent to be let in. */
    auth: { [key: string]: any };
  }

  /** An EventEmitter whose `emit` sends. */
  export abstract class TypedEmitter<Listen extends EventsMap, Reserved extends EventsMap> extends EventEmitter {
    on<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name: Name,
      listener: ListenerOf<Reserved, Listen, Name>,
    ): this;
    once<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name: Name,
      listener: ListenerOf<Reserved, Listen, Name>,
    ): this;
    listeners<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name: Name,
    ): ListenerOf<Reserved, Listen, Name>[];
  }

  export interface NamespaceReservedEvents<L extends EventsMap, E extends EventsMap, S extends EventsMap, D> {
    connect: (socket: Socket<L, E, S, D>) => void;
    connection: (socket: Socket<L, E, S, D>) => void;
  }

  export interface ServerReservedEvents<L extends EventsMap, E extends EventsMap, S extends EventsMap, D>
    extends NamespaceReservedEvents<L, E, S, D> {
    new_namespace: (nsp: Namespace<L, E, S, D>) => void;
  }

  export interface SocketReservedEvents {
    disconnect: (reason: DisconnectReason, description?: any) => void;
    disconnecting: (reason: DisconnectReason, description?: any) => void;
    error: (error: Error) => void;
  }

  /** What emits to many. */
  export interface Broadcasts<EmitEvents extends EventsMap, SocketData> {
    /** To the sockets in a room, or in one of several. */
    to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    /** The same as `to`. */
    in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    /** Not to the sockets in a room, or in one of several. */
    except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    /** Not to clients that it cannot be sent to at once. */
    get volatile(): BroadcastOperator<EmitEvents, SocketData>;
    /** Only to sockets of this process. */
    get local(): BroadcastOperator<EmitEvents, SocketData>;
    /** Changes nothing: nothing is compressed yet. */
    compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData>;
    /** The sockets. */
    fetchSockets(): Promise<Socket<any, EmitEvents, any, SocketData>[]>;
    /** Puts the sockets into a room, or several. */
    socketsJoin(room: Room | Room[]): void;
    /** Takes the sockets out of a room, or several. */
    socketsLeave(room: Room | Room[]): void;
    /** Disconnects the sockets; with `close` closes their connections. */
    disconnectSockets(close?: boolean): void;
  }

  /** A broadcast in the making: to whom, and how. Each call gives a new one. */
  export class BroadcastOperator<EmitEvents extends EventsMap, SocketData> implements Broadcasts<EmitEvents, SocketData> {
    private constructor();
    to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    get volatile(): BroadcastOperator<EmitEvents, SocketData>;
    get local(): BroadcastOperator<EmitEvents, SocketData>;
    compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData>;
    /** Sends an event. Throws for arguments that cannot be sent. */
    emit<Name extends EventNamesWithoutAck<EmitEvents>>(name: Name, ...args: EventParams<EmitEvents, Name>): boolean;
    fetchSockets(): Promise<Socket<any, EmitEvents, any, SocketData>[]>;
    socketsJoin(room: Room | Room[]): void;
    socketsLeave(room: Room | Room[]): void;
    disconnectSockets(close?: boolean): void;
  }

  /**
   * A server. `ListenEvents` are those that clients send, `EmitEvents` those that they get; `ServerSideEvents` are listened to
   * on the server itself; `SocketData` is what `socket.data` is. Listening and emitting is that of the namespace "/".
   */
  export class Server<
      ListenEvents extends EventsMap = DefaultEventsMap,
      EmitEvents extends EventsMap = ListenEvents,
      ServerSideEvents extends EventsMap = DefaultEventsMap,
      SocketData = any,
    >
    extends TypedEmitter<
      ServerSideEvents,
      ServerReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
    >
    implements Broadcasts<EmitEvents, SocketData>
  {
    /** The namespace "/". */
    readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;

    /** A server that does not listen yet. Throws for an option that is not supported or has no sense. */
    constructor(options?: Partial<ServerOptions>);
    /** A server that listens. */
    constructor(port?: number | string, options?: Partial<ServerOptions>);

    /**
     * Listens on one more port, of all addresses (0 is any that is free), or on an address such as "127.0.0.1:3000" or
     * "unix:/path". Throws when it cannot, with the code "EADDRINUSE" for instance.
     */
    listen(port: number | string): this;
    /** The same as `listen`. */
    attach(port: number | string): this;
    /** Where it listens first; null when it does not. A text for a unix socket. */
    address(): { address: string; family: string; port: number } | string | null;
    /** The namespace of this name, which clients can join from then on. `listener` learns of its sockets. */
    of(
      name: string,
      listener?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
    ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
    /** Asked for each client before it joins "/": `next()` lets it in, `next(error)` refuses it. */
    use(
      middleware: (
        socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
        next: (error?: ExtendedError) => void,
      ) => void,
    ): this;
    /** Disconnects all clients and listens no more. Resolves when the last connection is gone. */
    close(listener?: (error?: Error) => void): Promise<void>;

    emit<Name extends EventNamesWithoutAck<EmitEvents>>(name: Name, ...args: EventParams<EmitEvents, Name>): boolean;
    send(...args: EventParams<EmitEvents, "message">): this;
    write(...args: EventParams<EmitEvents, "message">): this;
    to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    get volatile(): BroadcastOperator<EmitEvents, SocketData>;
    get local(): BroadcastOperator<EmitEvents, SocketData>;
    compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData>;
    fetchSockets(): Promise<Socket<any, EmitEvents, any, SocketData>[]>;
    socketsJoin(room: Room | Room[]): void;
    socketsLeave(room: Room | Room[]): void;
    disconnectSockets(close?: boolean): void;
  }

  /** A namespace: its sockets, its rooms, and who learns of new sockets. */
  export class Namespace<
      ListenEvents extends EventsMap = DefaultEventsMap,
      EmitEvents extends EventsMap = ListenEvents,
      ServerSideEvents extends EventsMap = DefaultEventsMap,
      SocketData = any,
    >
    extends TypedEmitter<
      ServerSideEvents,
      NamespaceReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
    >
    implements Broadcasts<EmitEvents, SocketData>
  {
    private constructor();
    /** With the slash. */
    readonly name: string;
    readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
    /** Those that are connected, by id. */
    readonly sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;

    /** Asked for each client before it joins: `next()` lets it in, `next(error)` refuses it. */
    use(
      middleware: (
        socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
        next: (error?: ExtendedError) => void,
      ) => void,
    ): this;
    emit<Name extends EventNamesWithoutAck<EmitEvents>>(name: Name, ...args: EventParams<EmitEvents, Name>): boolean;
    send(...args: EventParams<EmitEvents, "message">): this;
    write(...args: EventParams<EmitEvents, "message">): this;
    to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    get volatile(): BroadcastOperator<EmitEvents, SocketData>;
    get local(): BroadcastOperator<EmitEvents, SocketData>;
    compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData>;
    fetchSockets(): Promise<Socket<any, EmitEvents, any, SocketData>[]>;
    socketsJoin(room: Room | Room[]): void;
    socketsLeave(room: Room | Room[]): void;
    disconnectSockets(close?: boolean): void;
  }

  /** A client, in one namespace. */
  export class Socket<
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = any,
  > extends TypedEmitter<ListenEvents, SocketReservedEvents> {
    private constructor();
    readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
    readonly id: SocketId;
    readonly handshake: Handshake;
    /** The user's. */
    data: SocketData;
    readonly connected: boolean;
    /** Always false: connections are not recovered yet. */
    readonly recovered: boolean;
    get disconnected(): boolean;
    /** The rooms that it is in, that of its id among them. */
    get rooms(): Set<Room>;

    /** Sends an event. Throws for arguments that cannot be sent. */
    emit<Name extends EventNames<EmitEvents>>(name: Name, ...args: EventParams<EmitEvents, Name>): boolean;
    /** Sends an event, and resolves with the acknowledgement. */
    emitWithAck<Name extends EventNamesWithAck<EmitEvents>>(
      name: Name,
      ...args: AllButLast<EventParams<EmitEvents, Name>>
    ): Promise<AckValue<Last<EventParams<EmitEvents, Name>>>>;
    send(...args: EventParams<EmitEvents, "message">): this;
    write(...args: EventParams<EmitEvents, "message">): this;
    /** For the next event: its acknowledgement has to come within so many milliseconds, else it is called with an error. */
    timeout(
      milliseconds: number,
    ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData>;
    /** For the next event: it is dropped when it cannot be sent at once. */
    get volatile(): this;
    /** Changes nothing: nothing is compressed yet. */
    compress(compress: boolean): this;

    /** To all others of the namespace. */
    get broadcast(): BroadcastOperator<EmitEvents, SocketData>;
    get local(): BroadcastOperator<EmitEvents, SocketData>;
    to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
    except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;

    join(rooms: Room | Room[]): void;
    leave(room: Room): void;
    /** Disconnects it from this namespace; with `close` from all, and closes its connection. */
    disconnect(close?: boolean): this;

    /** Asked for each event before its listeners. An error becomes the event "error". */
    use(middleware: (event: Event, next: (error?: Error) => void) => void): this;
    /** Has a listener called with every event that comes, its name first. */
    onAny(listener: (...args: any[]) => void): this;
    prependAny(listener: (...args: any[]) => void): this;
    offAny(listener?: (...args: any[]) => void): this;
    listenersAny(): ((...args: any[]) => void)[];
    /** Has a listener called with every event that is sent, its name first. */
    onAnyOutgoing(listener: (...args: any[]) => void): this;
    prependAnyOutgoing(listener: (...args: any[]) => void): this;
    offAnyOutgoing(listener?: (...args: any[]) => void): this;
    listenersAnyOutgoing(): ((...args: any[]) => void)[];
  }
}

export = io;
